import type { LogicalType } from '../../types/logical';

/**
 * Compares two bounds as they are written (plain encoding) in the order of the column's type
 * (parquet.thrift, TypeDefinedOrder): negative, zero or positive.
 */
export function compareBounds(type: LogicalType, one: Uint8Array, other: Uint8Array): number {
  switch (type.kind) {
    case 'float':
    case 'double':
      return floating(one) - floating(other);
    case 'boolean':
      return (one[0] ?? 0) - (other[0] ?? 0);
    case 'int':
      return compareLittleEndian(one, other, type.signed);
    case 'date':
    case 'time':
    case 'duration':
    case 'timestamp':
      return compareLittleEndian(one, other, true);
    case 'decimal':
      return type.precision <= 18
        ? compareLittleEndian(one, other, true)
        : compareBigEndian(one, other);
    case 'text':
    case 'json':
    case 'uuid':
    case 'binary':
    case 'wkb':
      return Buffer.compare(one, other);
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function floating(bytes: Uint8Array): number {
  return bytes.length === 4 ? viewOf(bytes).getFloat32(0, true) : viewOf(bytes).getFloat64(0, true);
}

function compareLittleEndian(one: Uint8Array, other: Uint8Array, signed: boolean): number {
  const [a, b] = [integer(one, signed), integer(other, signed)];
  return a < b ? -1 : a > b ? 1 : 0;
}

function integer(bytes: Uint8Array, signed: boolean): bigint {
  const view = viewOf(bytes);
  if (bytes.length === 4) return BigInt(signed ? view.getInt32(0, true) : view.getUint32(0, true));
  return signed ? view.getBigInt64(0, true) : view.getBigUint64(0, true);
}

/** Two's complement of equal length, the most significant byte first. */
function compareBigEndian(one: Uint8Array, other: Uint8Array): number {
  const bySign = (viewOf(one).getInt8(0) < 0 ? 0 : 1) - (viewOf(other).getInt8(0) < 0 ? 0 : 1);
  return bySign === 0 ? Buffer.compare(one, other) : bySign;
}
