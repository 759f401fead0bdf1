import type {
  BooleanVector,
  BytesVector,
  DoubleVector,
  Fixed32Vector,
  Fixed64Vector,
  FloatVector,
  Vector,
} from '../../../../src/columnar/vectors';
import { ComportaError } from '../../../../src/errors';
import type { Masker } from '../../../../src/pipeline/mask';
import type { KernelContext } from '../../../../src/sources/postgres/copy/kernel';
import {
  specialNumeric,
  unscaledNumeric,
  writeInt128,
} from '../../../../src/sources/postgres/numeric';
import type { PlannedColumn } from '../../../../src/sources/postgres/plan';

type DecoderContext = Omit<KernelContext, 'memory'>;

/** Appends the value of `length` bytes at `start` of `row`. */
export type FieldDecoder = (row: Buffer, start: number, length: number) => void;

/** 1970-01-01 to 2000-01-01, where PostgreSQL's dates and timestamps begin. */
const EPOCH_DAYS = 10_957;
const EPOCH_MICROSECONDS = 946_684_800_000_000n;
const INT32_MAX = 0x7fff_ffff;
const INT32_MIN = -0x8000_0000;
const INT64_MAX = 0x7fff_ffff_ffff_ffffn;
const INT64_MIN = -0x8000_0000_0000_0000n;

/** The slow, obvious way of one column's values into its vector, to hold the fast one against. NULL never comes here. */
export function createFieldDecoder(
  column: PlannedColumn,
  vector: Vector,
  context: DecoderContext,
): FieldDecoder {
  const { masker } = context;
  switch (column.wire) {
    case 'boolean': {
      const target = vector as BooleanVector;
      return (row, start) => target.append(row[start] === 1);
    }
    case 'int2': {
      const target = vector as Fixed32Vector;
      return (row, start) => target.append(row.readInt16BE(start));
    }
    case 'int4': {
      const target = vector as Fixed32Vector;
      return (row, start) => target.append(row.readInt32BE(start));
    }
    case 'int8':
    case 'time': {
      const target = vector as Fixed64Vector;
      return (row, start) => target.append(row.readBigInt64BE(start));
    }
    case 'float4': {
      const target = vector as FloatVector;
      return (row, start) => target.append(row.readFloatBE(start));
    }
    case 'float8': {
      const target = vector as DoubleVector;
      return (row, start) => target.append(row.readDoubleBE(start));
    }
    case 'numeric':
      return numericDecoder(column, vector as Fixed64Vector | BytesVector, context);
    case 'date':
      return dateDecoder(column, vector as Fixed32Vector, context);
    case 'timestamp':
      return timestampDecoder(column, vector as Fixed64Vector, context);
    case 'bytes': {
      const target = vector as BytesVector;
      return masker === undefined
        ? (row, start, length) => target.append(row.subarray(start, start + length))
        : maskedDecoder(target, masker);
    }
  }
}

function maskedDecoder(target: BytesVector, masker: Masker): FieldDecoder {
  return (row, start, length) => {
    const masked = masker(row.subarray(start, start + length));
    if (typeof masked === 'string') target.appendText(masked);
    else target.append(masked);
  };
}

function numericDecoder(
  { spec }: PlannedColumn,
  vector: Fixed64Vector | BytesVector,
  { table }: DecoderContext,
): FieldDecoder {
  if (spec.type.kind !== 'decimal') throw new TypeError(`${spec.name} is no decimal`);
  const { precision, scale } = spec.type;
  const bound = 10n ** BigInt(precision);
  const bytes = Buffer.alloc(16);
  const unfaithful = (value: string) =>
    new ComportaError(
      'ValueUnfaithful',
      `column ${spec.name} (${spec.sourceType}) holds ${value}`,
      {
        table,
        remedy: `list ${spec.name} under columns.text`,
      },
    );
  return (row, start) => {
    const special = specialNumeric(row, start);
    if (special !== undefined) throw unfaithful(special);
    const value = unscaledNumeric(row, start, scale);
    // A foreign table's server need not keep to the precision that is declared here.
    if (value === undefined || value >= bound || value <= -bound) {
      throw unfaithful('a number beyond its precision or scale');
    }
    if (vector.storage === 'fixed64') return vector.append(value);
    writeInt128(bytes, value);
    vector.append(bytes);
  };
}

function dateDecoder(
  column: PlannedColumn,
  target: Fixed32Vector,
  context: DecoderContext,
): FieldDecoder {
  const appendInvalid = invalidDate(column, target, context);
  return (row, start) => {
    const days = row.readInt32BE(start);
    if (days === INT32_MAX || days === INT32_MIN || days > INT32_MAX - EPOCH_DAYS) {
      return appendInvalid(infinityOr(days === INT32_MAX, days === INT32_MIN));
    }
    target.append(days + EPOCH_DAYS);
  };
}

function timestampDecoder(
  column: PlannedColumn,
  target: Fixed64Vector,
  context: DecoderContext,
): FieldDecoder {
  const appendInvalid = invalidDate(column, target, context);
  return (row, start) => {
    const value = row.readBigInt64BE(start);
    if (value === INT64_MAX || value === INT64_MIN || value > INT64_MAX - EPOCH_MICROSECONDS) {
      return appendInvalid(infinityOr(value === INT64_MAX, value === INT64_MIN));
    }
    target.append(value + EPOCH_MICROSECONDS);
  };
}

function infinityOr(isPositive: boolean, isNegative: boolean): string {
  return isPositive ? 'infinity' : isNegative ? '-infinity' : 'a moment beyond the range';
}

function invalidDate(
  { spec, invalidDates }: PlannedColumn,
  target: Fixed32Vector | Fixed64Vector,
  { table, statistics }: DecoderContext,
): (value: string) => void {
  if (invalidDates === 'null') {
    return () => {
      statistics.invalidValues += 1;
      target.appendNull();
    };
  }
  return (value) => {
    throw new ComportaError(
      'ValueUnfaithful',
      `column ${spec.name} (${spec.sourceType}) holds ${value}`,
      { table, remedy: 'set invalidDates to null or text' },
    );
  };
}
