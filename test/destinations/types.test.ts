import assert from 'node:assert/strict';
import { DESTINATION_TYPES, parquetTypeName } from '../../src/destinations/types';
import { typeName, type LogicalType } from '../../src/types/logical';
import { EVERY_TYPE } from '../support/columns';

describe('types of the lake', () => {
  it('has one row for every logical type', () => {
    for (const type of EVERY_TYPE) {
      const name = type.kind === 'decimal' ? /^decimal/ : new RegExp(`^${typeName(type)}$`);
      assert.ok(
        DESTINATION_TYPES.some((row) => name.test(row.logicalType)),
        typeName(type),
      );
    }
    const names = DESTINATION_TYPES.map((row) => row.logicalType);
    assert.equal(new Set(names).size, names.length);
  });

  const cases: [LogicalType, string][] = [
    [{ kind: 'int', bits: 64, signed: false }, 'INT64, INTEGER(64, unsigned)'],
    [{ kind: 'decimal', precision: 20, scale: 4 }, 'FIXED_LEN_BYTE_ARRAY(9), DECIMAL(20,4)'],
    [{ kind: 'timestamp', utc: true }, 'INT64, TIMESTAMP(MICROS, UTC)'],
    [{ kind: 'time' }, 'INT64, TIME(MICROS, local)'],
    [{ kind: 'text' }, 'BYTE_ARRAY, STRING'],
    [{ kind: 'duration' }, 'INT64'],
  ];
  for (const [type, name] of cases) {
    it(`${typeName(type)}: ${name}`, () => assert.equal(parquetTypeName(type), name));
  }
});
