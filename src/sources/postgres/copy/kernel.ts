import type { FieldTable } from '../../../columnar/fields';
import type {
  BooleanVector,
  BytesVector,
  DoubleVector,
  Fixed32Vector,
  Fixed64Vector,
  FloatVector,
  Vector,
} from '../../../columnar/vectors';
import type { Masker } from '../../../pipeline/mask';
import type { ReadStatistics } from '../../source';
import type { PlannedColumn } from '../plan';
import { bytesKernel, maskedKernel } from './bytes';
import { dateKernel, timestampKernel } from './dates';
import { decimal128Kernel, decimal64Kernel } from './decimals';
import { fixedKernel } from './fixed';
import { readBooleans, readDoubles, readFloats, readInt16, readInt32, readInt64 } from './numbers';

/** Fills the cleared vector of one column with all values of that column in a piece. */
export type Kernel = (fields: FieldTable) => void;

export interface KernelContext {
  /** The table's id, for errors. */
  readonly table: string;
  readonly statistics: ReadStatistics;
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
  switch (column.wire) {
    case 'boolean':
      return fixedKernel(name, index, vector as BooleanVector, readBooleans);
    case 'int2':
      return fixedKernel(name, index, vector as Fixed32Vector, readInt16);
    case 'int4':
      return fixedKernel(name, index, vector as Fixed32Vector, readInt32);
    case 'int8':
    case 'time':
      return fixedKernel(name, index, vector as Fixed64Vector, readInt64);
    case 'float4':
      return fixedKernel(name, index, vector as FloatVector, readFloats);
    case 'float8':
      return fixedKernel(name, index, vector as DoubleVector, readDoubles);
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
      return bytesKernel(name, index, target, type.kind === 'uuid' ? UUID_BYTES : undefined);
    }
  }
}
