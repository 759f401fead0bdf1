import type { KernelMemory } from '../kernels/memory';
import type { Vector } from '../vectors';
import type { Residence } from './residence';

/** Places of the smallest and the largest, counted from the first value. */
export interface Extremes {
  readonly least: number;
  readonly most: number;
}

/**
 * Finds the extremes of the first `count` values at `place`, in Parquet's order for the vector's
 * type; undefined where no kernel knows that order. There is at least one value.
 */
export function extremesOf(
  { kernels, state }: KernelMemory,
  { spec: { type }, storage }: Vector,
  { data, starts, ends }: Residence,
  count: number,
): Extremes | undefined {
  const found = state.byteOffset;
  const isUnsigned = type.kind === 'int' && !type.signed;
  switch (storage) {
    case 'fixed32':
      if (isUnsigned) kernels.extremesUnsigned32(data, count, found);
      else kernels.extremesSigned32(data, count, found);
      break;
    case 'fixed64':
      if (isUnsigned) kernels.extremesUnsigned64(data, count, found);
      else kernels.extremesSigned64(data, count, found);
      break;
    case 'bytes':
      // Wide decimals have a sign.
      if (type.kind === 'decimal') return undefined;
      kernels.extremesBytes(data, starts, ends, count, found);
      break;
    case 'boolean':
    case 'float':
    case 'double':
      return undefined;
  }
  return { least: state[0]!, most: state[1]! };
}
