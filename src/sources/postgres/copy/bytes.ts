import type { FieldTable } from '../../../columnar/fields';
import type { BytesVector } from '../../../columnar/vectors';
import type { Masker } from '../../../pipeline/mask';
import { takeValues, wrongWidth } from './fixed';

function totalLength(starts: Int32Array, ends: Int32Array, values: number): number {
  let total = 0;
  for (let i = 0; i < values; i++) total += ends[i]! - starts[i]!;
  return total;
}

function haveWidth(starts: Int32Array, ends: Int32Array, values: number, width: number): boolean {
  let wrong = 0;
  for (let i = 0; i < values; i++) wrong |= (ends[i]! - starts[i]!) ^ width;
  return wrong === 0;
}

/**
 * The kernel for bytes that are the value: nothing is copied, the vector refers to the wire's
 * buffer and to the places that the walk has noted.
 * @param width of every value, where the type has one.
 */
export function bytesKernel(
  name: string,
  index: number,
  vector: BytesVector,
  width: number | undefined,
): (fields: FieldTable) => void {
  return (fields) => {
    const values = takeValues(fields, index, vector);
    const starts = fields.starts[index]!;
    const ends = fields.ends[index]!;
    if (width !== undefined && !haveWidth(starts, ends, values, width)) throw wrongWidth(name);
    vector.starts = starts;
    vector.ends = ends;
    vector.refer(fields.bytes, totalLength(starts, ends, values));
  };
}

/** The way of masked values, one by one, into the vector's own memory. */
export function maskedKernel(
  index: number,
  vector: BytesVector,
  masker: Masker,
): (fields: FieldTable) => void {
  return ({ rows, starts, ends, bytes }) => {
    for (let row = 0; row < rows; row++) {
      const start = starts[index]![row]!;
      if (start < 0) {
        vector.appendNull();
        continue;
      }
      const masked = masker(bytes.subarray(start, ends[index]![row]));
      if (typeof masked === 'string') vector.appendText(masked);
      else vector.append(masked);
    }
  };
}
