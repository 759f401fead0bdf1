import type { FieldTable } from '../../../columnar/fields';
import type { Kernels } from '../../../columnar/kernels/kernels';
import type { BytesVector } from '../../../columnar/vectors';
import type { Masker } from '../../../pipeline/mask';
import { addressesOf, takeValues, wrongWidth } from './fixed';

/**
 * The kernel for bytes that are the value: nothing is copied, the vector refers to the wire's
 * buffer and to the places that the walk has noted.
 * @param width of every value, where the type has one.
 */
export function bytesKernel(
  name: string,
  index: number,
  vector: BytesVector,
  kernels: Kernels,
  width: number | undefined,
): (fields: FieldTable) => void {
  return (fields) => {
    const values = takeValues(kernels, fields, index, vector);
    const [, starts, ends] = addressesOf(fields, index);
    if (width !== undefined && kernels.otherWidths(starts, ends, values, width) !== 0) {
      throw wrongWidth(name);
    }
    vector.starts = fields.starts[index]!;
    vector.ends = fields.ends[index]!;
    vector.refer(fields.bytes, kernels.sumLengths(starts, ends, values));
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
