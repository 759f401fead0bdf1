import { KernelMemory } from '../../columnar/kernels/memory';
import type { DestinationSettings } from '../../pipeline/pipeline';
import type { StagingArea } from '../destination';
import { createStagingWriter, type PartOptions } from './staging-writer';
import type { ObjectStore } from './storage';

export interface ParquetDestinationOptions
  extends Pick<DestinationSettings, 'compression'>, Omit<PartOptions, 'compression'> {}

/** The part of a lake that takes rows and makes Parquet files of them, which nobody sees. */
export function createParquetStaging(
  store: ObjectStore,
  settings: ParquetDestinationOptions,
): StagingArea {
  return {
    stage: (identity, columns, memory = new KernelMemory()) =>
      Promise.resolve().then(() =>
        createStagingWriter(store, identity, columns, { ...settings, memory }),
      ),
  };
}
