/**
 * Kernels for numbers of a fixed width: value i is read at `starts[i]`. One function per width
 * and kind, so that each loop sees one type of view and of target only.
 */
export type NumberKernel<Target> = (
  view: DataView,
  starts: Int32Array,
  values: number,
  target: Target,
) => void;

export const readInt8: NumberKernel<Int32Array> = (view, starts, values, target) => {
  for (let index = 0; index < values; index++) target[index] = view.getInt8(starts[index]!);
};

export const readUint8: NumberKernel<Int32Array> = (view, starts, values, target) => {
  for (let index = 0; index < values; index++) target[index] = view.getUint8(starts[index]!);
};

export const readInt16: NumberKernel<Int32Array> = (view, starts, values, target) => {
  for (let index = 0; index < values; index++) target[index] = view.getInt16(starts[index]!, true);
};

export const readUint16: NumberKernel<Int32Array> = (view, starts, values, target) => {
  for (let index = 0; index < values; index++) target[index] = view.getUint16(starts[index]!, true);
};

/** Signed or unsigned: the bits are the same. */
export const readInt32: NumberKernel<Int32Array> = (view, starts, values, target) => {
  for (let index = 0; index < values; index++) target[index] = view.getInt32(starts[index]!, true);
};

/** Signed or unsigned, into halves: no bigint is made. */
export const readInt64: NumberKernel<Int32Array> = (view, starts, values, target) => {
  for (let index = 0; index < values; index++) {
    const at = starts[index]!;
    target[2 * index] = view.getInt32(at, true);
    target[2 * index + 1] = view.getInt32(at + 4, true);
  }
};

export const readFloat: NumberKernel<Float32Array> = (view, starts, values, target) => {
  for (let index = 0; index < values; index++) {
    target[index] = view.getFloat32(starts[index]!, true);
  }
};

export const readDouble: NumberKernel<Float64Array> = (view, starts, values, target) => {
  for (let index = 0; index < values; index++) {
    target[index] = view.getFloat64(starts[index]!, true);
  }
};
