import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { createRandom } from '../../scripts/demo/sample/random';
import { startMariadb } from '../../scripts/services/mariadb';
import { startPostgres } from '../../scripts/services/postgres';
import { startTemporal, type NativeTemporalService } from '../../scripts/services/temporal';
import { openSqliteHistory } from '../../src/history/sqlite';
import type { History } from '../../src/history/history';
import { eventually } from '../support/eventually';
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process';
import { createTables, type Dialect, type SoakSource } from './sources';

/** Two databases, a Temporal and two workers on one project, all of its own. */
export interface SoakWorld {
  /** Everything that is worth a look afterwards. */
  readonly folder: string;
  readonly lake: string;
  readonly temporal: NativeTemporalService;
  readonly client: Client;
  readonly sources: readonly SoakSource[];
  readonly history: History;
  readonly workers: readonly WorkerProcess[];
  /** Those that nobody killed and that ended all the same, with what they said last. */
  readonly workersLost: readonly string[];
  readonly longestFreezeMs: number;
  /** Kills a worker as a power cut would, and starts another in its place. */
  replaceWorker(index: number): Promise<void>;
  stopWorkers(): Promise<void>;
  /** Stops everything; the folder stays if it is to be kept. */
  close(keep: boolean): Promise<void>;
}

export interface WorldSettings {
  readonly tables: number;
  readonly seed: number;
  readonly longestFreezeMs: number;
}

/** Of which a tenth is large enough to be read for a while. */
const LARGE_ROWS = 20_000;

/** Tables that a database lets be loaded at a time, in both pipelines' connections. */
const PLACES = 3;

export async function startSoakWorld(settings: WorldSettings): Promise<SoakWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'comporta-soak-'));
  const pipelines = join(folder, 'pipelines');
  await mkdir(pipelines);
  const [mariadb, postgres, temporal] = await Promise.all([
    startMariadb(),
    startPostgres(),
    startTemporal({ headless: true, persistent: true }),
  ]);
  const half = Math.ceil(settings.tables / 2);
  const sources: readonly SoakSource[] = [
    { ...tablesOf('mariadb', half), server: mariadb },
    { ...tablesOf('postgres', settings.tables - half), server: postgres },
  ];
  await writeFile(join(pipelines, 'connections.yaml'), connectionsFile(sources));
  for (const { pipeline } of sources) {
    await writeFile(join(pipelines, `${pipeline}.yaml`), pipelineFile(pipeline));
  }
  const environment = {
    TEMPORAL_ADDRESS: temporal.address,
    SOAK_PASSWORD: mariadb.password,
  };
  const workersLost: string[] = [];
  const workers: WorkerProcess[] = [];
  const start = (index: number) => {
    const worker = startWorkerProcess(['--pipelines', pipelines], environment);
    workers[index] = worker;
    void worker.ended.then((code) => {
      if (workers[index] !== worker) return;
      const last = worker.log().split('\n').slice(-5).join('\n');
      workersLost.push(`a worker ended by itself with exit code ${code}: ${last}`);
      // As whatever keeps workers running would.
      start(index);
    });
  };
  start(0);
  start(1);
  const random = createRandom(`rows ${settings.seed}`);
  await Promise.all(
    sources.map((source) =>
      createTables(source, () => (random.chance(0.1) ? LARGE_ROWS : random.integer(1, 400))),
    ),
  );
  await eventually(() => {
    for (const worker of workers) if (!worker.log().includes('"ready"')) throw notReady(worker);
  }, 120_000);
  const client = new Client({
    connection: await Connection.connect({ address: temporal.address }),
  });
  const history = await openSqliteHistory(join(folder, 'history.db'));

  const stopWorkers = async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.stop()));
  };
  return {
    folder,
    lake: join(folder, 'lake'),
    temporal,
    client,
    sources,
    history,
    workers,
    workersLost,
    longestFreezeMs: settings.longestFreezeMs,
    async replaceWorker(index) {
      const victim = workers[index]!;
      start(index);
      await victim.kill9();
    },
    stopWorkers,
    async close(keep) {
      await stopWorkers();
      await history.close();
      await client.connection.close();
      await Promise.all([temporal.stop(), mariadb.stop(), postgres.stop()]);
      if (!keep) await rm(folder, { recursive: true, force: true });
    },
  };
}

function notReady(worker: WorkerProcess): Error {
  return new Error(`a worker is not ready: ${worker.log()}`);
}

function tablesOf(dialect: Dialect, count: number) {
  const pipeline = dialect === 'mariadb' ? 'shop' : 'books';
  const tables = Array.from({ length: count }, (_, index) => {
    const name = `table_${String(index).padStart(3, '0')}`;
    const id = dialect === 'mariadb' ? name : `public.${name}`;
    return { dialect, pipeline, name, id, extraColumns: 0 };
  });
  return { dialect, pipeline, tables };
}

function connectionsFile(sources: readonly SoakSource[]): string {
  const databases = sources.map(({ pipeline, dialect, server: { host, port, user, database } }) => {
    const type = dialect === 'mariadb' ? 'mysql' : 'postgres';
    return `  ${pipeline}: { type: ${type}, host: ${host}, port: ${port}, user: ${user}, password: env:SOAK_PASSWORD, database: ${database}, maxParallelLoads: ${PLACES} }`;
  });
  return `connections:
${databases.join('\n')}
  lake: { type: file, path: ../lake }
history: { type: sqlite, path: ../history.db }
`;
}

/** The least margin, so that a day may be short; attempts enough for a day with a fault. */
function pipelineFile(pipeline: string): string {
  return `pipeline: ${pipeline}
source: { connection: ${pipeline} }
destination: { connection: lake }
defaults: { attempts: 6, detection: { settleMargin: ${SETTLE_MARGIN_MS}ms } }
`;
}

export const SETTLE_MARGIN_MS = 1_000;
