import type { FieldTable } from '../../../columnar/fields';
import type { Kernels } from '../../../columnar/kernels/kernels';
import type { Vector } from '../../../columnar/vectors';
import { unreadable } from './unreadable';

/**
 * Makes the vector ready for the values of a column and declares them. From here on the first
 * entries of the column's starts and ends are those of its values; answers how many they are.
 */
export function takeValues(
  kernels: Kernels,
  fields: FieldTable,
  index: number,
  vector: Vector,
): number {
  const { rows } = fields;
  vector.reserve(rows);
  if (fields.nulls[index] === 0) {
    vector.valid.fill(1, 0, rows);
    vector.filled(rows, rows);
    return rows;
  }
  const values = kernels.gatherValues(
    fields.starts[index]!.byteOffset,
    fields.ends[index]!.byteOffset,
    vector.valid.byteOffset,
    rows,
  );
  vector.filled(rows, values);
  return values;
}

/** The addresses with which a kernel for a column begins. */
export function addressesOf(
  { bytes, starts, ends }: FieldTable,
  index: number,
): readonly [bytes: number, starts: number, ends: number] {
  return [bytes.byteOffset, starts[index]!.byteOffset, ends[index]!.byteOffset];
}

/**
 * A kernel for values of one width; answers zero when every one had that width: a number is read
 * before its width is known to be right, and is thrown away if it is not.
 */
export type FixedLoop = (
  bytes: number,
  starts: number,
  ends: number,
  count: number,
  data: number,
) => number;

/** The way of numbers that the wire has as the vector has them. */
export function fixedKernel(
  name: string,
  index: number,
  vector: Vector,
  kernels: Kernels,
  loop: FixedLoop,
): (fields: FieldTable) => void {
  return (fields) => {
    const values = takeValues(kernels, fields, index, vector);
    const wrong = loop(...addressesOf(fields, index), values, vector.data.byteOffset);
    if (wrong !== 0) throw wrongWidth(name);
  };
}

export function wrongWidth(column: string): Error {
  return unreadable(`a value of column ${column} has the wrong length`);
}
