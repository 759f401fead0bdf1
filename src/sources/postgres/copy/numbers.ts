/**
 * One loop per kind of number. They are alike and yet not one: a loop that is called for several
 * kinds of array is compiled for none.
 */

export function readBooleans(
  view: DataView,
  starts: Int32Array,
  ends: Int32Array,
  values: number,
  data: Uint8Array,
): number {
  let wrong = 0;
  for (let i = 0; i < values; i++) {
    const start = starts[i]!;
    wrong |= (ends[i]! - start) ^ 1;
    data[i] = view.getUint8(start) === 1 ? 1 : 0;
  }
  return wrong;
}

export function readInt16(
  view: DataView,
  starts: Int32Array,
  ends: Int32Array,
  values: number,
  data: Int32Array,
): number {
  let wrong = 0;
  for (let i = 0; i < values; i++) {
    const start = starts[i]!;
    wrong |= (ends[i]! - start) ^ 2;
    data[i] = view.getInt16(start);
  }
  return wrong;
}

export function readInt32(
  view: DataView,
  starts: Int32Array,
  ends: Int32Array,
  values: number,
  data: Int32Array,
): number {
  let wrong = 0;
  for (let i = 0; i < values; i++) {
    const start = starts[i]!;
    wrong |= (ends[i]! - start) ^ 4;
    data[i] = view.getInt32(start);
  }
  return wrong;
}

/** @param halves low and high half of each number. */
export function readInt64(
  view: DataView,
  starts: Int32Array,
  ends: Int32Array,
  values: number,
  halves: Int32Array,
): number {
  let wrong = 0;
  for (let i = 0; i < values; i++) {
    const start = starts[i]!;
    wrong |= (ends[i]! - start) ^ 8;
    halves[2 * i] = view.getInt32(start + 4);
    halves[2 * i + 1] = view.getInt32(start);
  }
  return wrong;
}

export function readFloats(
  view: DataView,
  starts: Int32Array,
  ends: Int32Array,
  values: number,
  data: Float32Array,
): number {
  let wrong = 0;
  for (let i = 0; i < values; i++) {
    const start = starts[i]!;
    wrong |= (ends[i]! - start) ^ 4;
    data[i] = view.getFloat32(start);
  }
  return wrong;
}

export function readDoubles(
  view: DataView,
  starts: Int32Array,
  ends: Int32Array,
  values: number,
  data: Float64Array,
): number {
  let wrong = 0;
  for (let i = 0; i < values; i++) {
    const start = starts[i]!;
    wrong |= (ends[i]! - start) ^ 8;
    data[i] = view.getFloat64(start);
  }
  return wrong;
}
