import { join } from 'node:path';
import { openDestination, openSource } from '../src/endpoints';
import { chunkCount } from '../src/engines/chunk-count';
import { createEmbeddedEngine } from '../src/engines/embedded/embedded-engine';
import type { Engine, MoveRequest } from '../src/engines/engine';
import { createLocalRunner } from '../src/engines/spark/local-runner';
import { createSparkEngine } from '../src/engines/spark/spark-engine';
import { moveInChunks } from '../src/load/move-in-chunks';
import { localSecretStore } from '../src/pipeline/secrets';
import { DEFAULT_SETTINGS } from '../src/pipeline/defaults';
import { parseSize } from '../src/pipeline/size';
import { FULL_LOAD } from '../test/support/table-settings';
import type { Job } from './load/job';
import { destinationOf, environmentOf, sourceOf } from './load/job-endpoints';

/** What stays the same for all loads of a worker. Its first message. */
export interface WorkerOptions {
  /** The database's address is that of every later order. */
  readonly job: Job;
  /** spark-submit with its options. */
  readonly submit: string;
  /** The interpreter that Spark uses. */
  readonly python: string;
  /** Path of `jobs/ingest_table.py`. */
  readonly script: string;
  /** Where is noted what became of the jobs of Spark. */
  readonly notes: string;
}

/** A load of a table. */
export interface LoadOrder {
  readonly engine: 'embedded' | 'spark';
  readonly table: string;
  /** Root of the lake. */
  readonly output: string;
  /** Its own for each load. */
  readonly run: string;
}

export interface LoadAnswer {
  readonly wallSeconds: number;
  /** Absolute paths. */
  readonly files: readonly string[];
  /** Why it failed. */
  readonly failed?: string;
}

/**
 * A worker that has both engines and goes on running: loads one table after the other, each from the
 * look at the table to the publication.
 */
function createWorker({ job, submit, python, script, notes }: WorkerOptions) {
  const environment = { ...environmentOf(job), PYSPARK_PYTHON: python };
  const secrets = localSecretStore(environment);
  const source = openSource(sourceOf(job), secrets);
  const engines = (destination: ReturnType<typeof openDestination>) => ({
    embedded: () => embedded,
    spark: () =>
      createSparkEngine({
        name: 'spark',
        runner: createLocalRunner({ submit, environment, folder: notes }),
        source: () => source,
        destination: () => destination,
        script,
        shouldCancel: () => true,
      }),
  });
  const embedded = createEmbeddedEngine(environment);

  return async ({ engine, table: name, output, run }: LoadOrder): Promise<LoadAnswer> => {
    const began = performance.now();
    const lake = destinationOf({ ...job, output });
    const destination = openDestination(lake, secrets);
    const id = job.family === 'mysql' ? name : `public.${name}`;
    const [table] = await source.listTables([id]);
    if (table === undefined) throw new Error(`there is no table ${id}`);
    const request: MoveRequest = {
      identity: {
        ...{ pipeline: 'bench', domain: 'bench', entity: name, table: id, batch: 'batch', run },
        ...{ attempt: 1, ingestionDate: '2026-01-01' },
      },
      ...{ source: sourceOf(job), destination: lake, table },
      settings: { ...FULL_LOAD, engine, chunkBytes: parseSize(DEFAULT_SETTINGS.chunkSize) },
    };
    const moved = await move(engines(destination)[engine](), request, { source, destination });
    const { files } = await destination.publish({
      ...{ identity: request.identity, mode: 'full', key: [], fence: 1 },
      ...{ files: moved.files, columns: moved.columns, token: TOKEN },
      ...{ rowsAtSource: moved.rowsAtSource, rowsWritten: moved.rowsWritten },
      assertOwner: () => Promise.resolve(),
      signal: new AbortController().signal,
    });
    const wallSeconds = (performance.now() - began) / 1000;
    await destination.close();
    return { wallSeconds, files: files.map(({ path }) => join(output, path)) };
  };
}

const TOKEN = { sourceTime: '2026-01-01T00:00:00Z', evidence: [], settings: '' };

/** In chunks where the service would do so. */
async function move(
  engine: Engine,
  request: MoveRequest,
  ends: Pick<Parameters<typeof moveInChunks>[0], 'source' | 'destination'>,
) {
  const report = () => undefined;
  const { signal } = new AbortController();
  const chunks = engine.streams === 0 ? 1 : chunkCount(request);
  if (chunks === 1) return engine.move(request, { report, signal });
  const deps = { ...ends, engine, report, warn: report, signal };
  return (await moveInChunks(deps, request, TOKEN, chunks)).moved;
}

let load: ReturnType<typeof createWorker> | undefined;

process.on('message', (message: WorkerOptions | LoadOrder) => {
  if ('job' in message) {
    load = createWorker(message);
    return;
  }
  const answer = load?.(message) ?? Promise.reject(new Error('no worker'));
  answer.then(
    (loaded) => process.send?.(loaded),
    (error: unknown) => process.send?.({ wallSeconds: 0, files: [], failed: String(error) }),
  );
});
