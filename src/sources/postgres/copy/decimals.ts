import type { FieldTable } from '../../../columnar/fields';
import type { BytesVector, Fixed64Vector } from '../../../columnar/vectors';
import { ComportaError } from '../../../errors';
import { specialNumeric, unscaledNumeric, writeInt128 } from '../numeric';
import type { PlannedColumn } from '../plan';
import { addressesOf, takeValues, wrongWidth } from './fixed';
import type { KernelContext } from './kernel';
import { unreadable } from './unreadable';

const HEADER_BYTES = 8;
const NEGATIVE = 0x4000;
const WIDE_BYTES = 16;

/** The kernel for decimals of up to 18 digits. */
export function decimal64Kernel(
  column: PlannedColumn,
  index: number,
  vector: Fixed64Vector,
  context: KernelContext,
): (fields: FieldTable) => void {
  const { precision, scale } = decimalOf(column);
  const { kernels } = context.memory;
  return (fields) => {
    const values = takeValues(kernels, fields, index, vector);
    const places = addressesOf(fields, index);
    const { data } = vector;
    let at = 0;
    for (;;) {
      at = kernels.postgresDecimals64(...places, at, values, precision, scale, data.byteOffset);
      if (at === values) return;
      data[at] = exactDecimal(column, index, context, fields, at);
      at += 1;
    }
  };
}

/** The kernel for decimals of 19 to 38 digits, as 16 bytes each. */
export function decimal128Kernel(
  column: PlannedColumn,
  index: number,
  vector: BytesVector,
  context: KernelContext,
): (fields: FieldTable) => void {
  const { precision, scale } = decimalOf(column);
  const { kernels } = context.memory;
  let data: Buffer | undefined;
  return (fields) => {
    data ??= context.memory.bytes(fields.capacity * WIDE_BYTES);
    const values = takeValues(kernels, fields, index, vector);
    const places = addressesOf(fields, index);
    for (let at = 0; at < values; at++) {
      at = kernels.postgresDecimals128(...places, at, values, precision, scale, data.byteOffset);
      if (at === values) break;
      writeInt128(data.subarray(at * WIDE_BYTES), exactDecimal(column, index, context, fields, at));
    }
    const { starts, ends } = vector;
    kernels.placeSideBySide(starts.byteOffset, ends.byteOffset, values, WIDE_BYTES);
    vector.refer(data, values * WIDE_BYTES);
  };
}

function decimalOf({ spec }: PlannedColumn) {
  if (spec.type.kind !== 'decimal') throw new TypeError(`${spec.name} is no decimal`);
  return spec.type;
}

/** A value at a place among the column's values, however large or odd; or what is wrong with it. */
function exactDecimal(
  column: PlannedColumn,
  index: number,
  { table }: KernelContext,
  { bytes, starts, ends }: FieldTable,
  at: number,
): bigint {
  const { spec } = column;
  const { precision, scale } = decimalOf(column);
  const unfaithful = (value: string) =>
    new ComportaError(
      'ValueUnfaithful',
      `column ${spec.name} (${spec.sourceType}) holds ${value}`,
      { table, remedy: `list ${spec.name} under columns.text` },
    );
  const start = starts[index]![at]!;
  const width = HEADER_BYTES + 2 * bytes.readUInt16BE(start);
  if (ends[index]![at]! - start !== width) throw wrongWidth(spec.name);
  const special = specialNumeric(bytes, start);
  if (special !== undefined) throw unfaithful(special);
  if ((bytes.readUInt16BE(start + 4) & ~NEGATIVE) !== 0) {
    throw unreadable(`column ${spec.name} holds no number`);
  }
  const value = unscaledNumeric(bytes, start, scale);
  const bound = 10n ** BigInt(precision);
  // A foreign table's server need not keep to the precision that is declared here.
  if (value === undefined || value >= bound || value <= -bound) {
    throw unfaithful('a number beyond its precision or scale');
  }
  return value;
}
