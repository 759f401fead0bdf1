import type { FieldTable } from '../../../columnar/fields';
import type { Vector } from '../../../columnar/vectors';
import { unreadable } from './unreadable';

/**
 * Moves the places of the values that are not NULL to the front of the column's starts and ends,
 * and marks in `valid` which rows have one. Answers their number. Without branches, because
 * whether a value is NULL cannot be foretold.
 */
function gather(starts: Int32Array, ends: Int32Array, valid: Uint8Array, rows: number): number {
  let values = 0;
  for (let row = 0; row < rows; row++) {
    const start = starts[row]!;
    const isValue = start >= 0 ? 1 : 0;
    starts[values] = start;
    ends[values] = ends[row]!;
    valid[row] = isValue;
    values += isValue;
  }
  return values;
}

/**
 * Makes the vector ready for the values of a column and declares them. From here on the first
 * entries of the column's starts and ends are those of its values; answers how many they are.
 */
export function takeValues(fields: FieldTable, index: number, vector: Vector): number {
  const { rows } = fields;
  vector.reserve(rows);
  if (fields.nulls[index] === 0) {
    vector.valid.fill(1, 0, rows);
    vector.filled(rows, rows);
    return rows;
  }
  const values = gather(fields.starts[index]!, fields.ends[index]!, vector.valid, rows);
  vector.filled(rows, values);
  return values;
}

/**
 * A loop over values of one width. Answers 0 when every one had that width: a number is read
 * before its width is known to be right, and is thrown away if it is not.
 */
export type FixedLoop<Data> = (
  view: DataView,
  starts: Int32Array,
  ends: Int32Array,
  values: number,
  data: Data,
) => number;

/** What a loop writes into, 64-bit numbers as halves. */
export type DataOf<V extends Vector> = V extends { readonly halves: infer Halves }
  ? Halves
  : V['data'];

/** The kernel for numbers that the wire has as the vector has them. */
export function fixedKernel<V extends Vector>(
  name: string,
  index: number,
  vector: V,
  loop: FixedLoop<DataOf<V>>,
): (fields: FieldTable) => void {
  return (fields) => {
    const values = takeValues(fields, index, vector);
    const data = (vector.storage === 'fixed64' ? vector.halves : vector.data) as DataOf<V>;
    const wrong = loop(fields.view, fields.starts[index]!, fields.ends[index]!, values, data);
    if (wrong !== 0) throw wrongWidth(name);
  };
}

export function wrongWidth(column: string): Error {
  return unreadable(`a value of column ${column} has the wrong length`);
}
