import type { PythonEnvironment } from '../../scripts/services/python';
import { ensureLoaded, type BenchDatabase } from './databases';
import { duckdbExtension } from './peers';
import { ensureSourceData, type SourceData } from './source-data';
import type { BenchTable } from './tables';

/** Makes a table and loads it into a database, unless an earlier run has. */
export async function loaded(
  table: BenchTable,
  scale: number,
  database: BenchDatabase,
  peers: PythonEnvironment,
  progress: (line: string) => void,
): Promise<SourceData> {
  const tpch = await duckdbExtension(peers, 'tpch');
  const data = await ensureSourceData(table, scale, tpch, progress);
  const scanner = await duckdbExtension(peers, 'postgres_scanner');
  await ensureLoaded(database, data, scanner, progress);
  return data;
}
