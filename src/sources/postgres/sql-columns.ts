import type { SqlColumn } from '../source';
import { printedValue } from './describe';
import { quoteIdentifier } from './identifiers';
import type { DescribedColumn } from './plan';

/** The bytes of a type's own binary form as a whole number. */
function fromBytes(bytes: string, bits: 32 | 64): string {
  const integer = bits === 32 ? 'int4' : 'int8';
  return `('x' || encode(${bytes}, 'hex'))::bit(${bits})::${integer}::int8`;
}

/**
 * A planned column in SQL for PostgreSQL's JDBC driver. Numbers and moments are asked for as whole
 * numbers, where Java's own types would be too narrow (dates before 1582, infinities, 24:00:00), and
 * anything that has only a printed form as that.
 */
export function sqlColumn({
  spec,
  select,
  wire,
  column,
  mask,
  invalidDates,
}: DescribedColumn): SqlColumn {
  const quoted = quoteIdentifier(column.name);
  const common = {
    spec,
    ...(mask === undefined ? {} : { mask }),
    ...(invalidDates === undefined ? {} : { invalidDates }),
  };
  switch (spec.type.kind) {
    case 'boolean':
      return { ...common, sql: `${quoted}::bool`, form: 'plain' };
    case 'int':
      return spec.type.signed
        ? { ...common, sql: `${quoted}::int8`, form: 'plain' }
        : { ...common, sql: printedValue(column), form: 'digits' };
    case 'float':
      return { ...common, sql: `${quoted}::float4`, form: 'plain' };
    case 'double':
      return { ...common, sql: `${quoted}::float8`, form: 'plain' };
    case 'decimal':
      return { ...common, sql: printedValue(column), form: 'digits' };
    case 'date':
      return { ...common, sql: fromBytes(`date_send(${quoted})`, 32), form: 'since2000' };
    case 'timestamp': {
      const send = spec.type.utc ? 'timestamptz_send' : 'timestamp_send';
      return { ...common, sql: fromBytes(`${send}(${quoted})`, 64), form: 'since2000' };
    }
    case 'time':
      return { ...common, sql: fromBytes(`time_send(${quoted})`, 64), form: 'plain' };
    case 'uuid':
      return { ...common, sql: `uuid_send(${quoted})`, form: 'plain' };
    case 'binary':
      return { ...common, sql: `${quoted}::bytea`, form: 'plain' };
    case 'wkb':
      return { ...common, sql: select, form: 'plain' };
    case 'text':
    case 'json':
    case 'duration':
      // What needs no printing on PostgreSQL's own wire may have a type that the driver does not know.
      return {
        ...common,
        sql: wire === 'bytes' && select !== quoted ? select : printedValue(column),
        form: 'plain',
      };
  }
}
