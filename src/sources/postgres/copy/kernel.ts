import type { FieldTable } from '../../../columnar/fields';
import type { KernelMemory } from '../../../columnar/kernels/memory';
import type { BytesVector, Fixed32Vector, Fixed64Vector, Vector } from '../../../columnar/vectors';
import type { Masker } from '../../../pipeline/mask';
import type { ReadStatistics } from '../../source';
import type { PlannedColumn } from '../plan';
import { bytesKernel, maskedKernel } from './bytes';
import { dateKernel, timestampKernel } from './dates';
import { decimal128Kernel, decimal64Kernel } from './decimals';
import { fixedKernel, type FixedLoop } from './fixed';

/** Fills the cleared vector of one column with all values of that column in a piece. */
export type Kernel = (fields: FieldTable) => void;

export interface KernelContext {
  /** The table's id, for errors. */
  readonly table: string;
  readonly statistics: ReadStatistics;
  readonly memory: KernelMemory;
  readonly masker?: Masker;
}

const UUID_BYTES = 16;

/**
 * The way of one column's values from the wire into its vector. Each kind of value has a loop of
 * its own, over the values that are not NULL.
 * @param index of the column among the fields of a row.
 */
export function createKernel(
  column: PlannedColumn,
  index: number,
  vector: Vector,
  context: KernelContext,
): Kernel {
  const { name, type } = column.spec;
  const { kernels } = context.memory;
  const fixed = (loop: FixedLoop) => fixedKernel(name, index, vector, kernels, loop);
  switch (column.wire) {
    case 'boolean':
      return fixed(kernels.postgresBooleans);
    case 'int2':
      return fixed(kernels.postgresInt16);
    case 'int4':
    case 'float4':
      return fixed(kernels.postgresFixed32);
    case 'int8':
    case 'time':
    case 'float8':
      return fixed(kernels.postgresFixed64);
    case 'numeric':
      return vector.storage === 'fixed64'
        ? decimal64Kernel(column, index, vector, context)
        : decimal128Kernel(column, index, vector as BytesVector, context);
    case 'date':
      return dateKernel(column, index, vector as Fixed32Vector, context);
    case 'timestamp':
      return timestampKernel(column, index, vector as Fixed64Vector, context);
    case 'bytes': {
      const target = vector as BytesVector;
      if (context.masker !== undefined) return maskedKernel(index, target, context.masker);
      const width = type.kind === 'uuid' ? UUID_BYTES : undefined;
      return bytesKernel(name, index, target, kernels, width);
    }
  }
}
