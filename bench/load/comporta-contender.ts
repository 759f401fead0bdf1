import { createEmbeddedEngine } from '../../src/engines/embedded/embedded-engine';
import type { Engine, MoveRequest } from '../../src/engines/engine';
import { openDestination, openSource } from '../../src/endpoints';
import { chunkCount } from '../../src/engines/chunk-count';
import { moveInChunks } from '../../src/load/move-in-chunks';
import type { TableSettings } from '../../src/pipeline/pipeline';
import { localSecretStore } from '../../src/pipeline/secrets';
import { FULL_LOAD } from '../../test/support/table-settings';
import { perform, readJob, type Job } from './job';
import { destinationOf, environmentOf, sourceOf } from './job-endpoints';

/**
 * The engine's move of a table into a lake, as a worker does it. Options: `streams` moves the table
 * so many times at once; `chunks` moves it once, in chunks of so many bytes; `bucket` is the lake of
 * {@link BucketOption} instead of the job's folder.
 */
async function move(engine: Engine, environment: NodeJS.ProcessEnv, job: Job): Promise<void> {
  const source = sourceOf(job);
  const destination = destinationOf(job);
  const id = job.family === 'mysql' ? job.table : `public.${job.table}`;
  const opened = openSource(source, localSecretStore(environment));
  const [table] = await opened.listTables([id]);
  await opened.close();
  if (table === undefined) throw new Error(`there is no table ${id}`);
  const identity = {
    pipeline: 'bench',
    domain: 'bench',
    table: id,
    batch: 'batch',
    run: 'run',
    attempt: 1,
    ingestionDate: '2026-01-01',
  };
  const { chunks, streams = 1 } = job.options as { chunks?: number; streams?: number };
  const requestOf = (entity: string, settings: TableSettings): MoveRequest => ({
    identity: { ...identity, entity },
    ...{ source, destination, table, settings },
  });
  if (chunks !== undefined) {
    return moveChunks(
      engine,
      environment,
      requestOf(job.table, { ...FULL_LOAD, chunkBytes: chunks }),
    );
  }
  const watch = { report: () => undefined, signal: new AbortController().signal };
  await Promise.all(
    Array.from({ length: streams }, (_, stream) =>
      engine.move(requestOf(`${job.table}_${stream}`, FULL_LOAD), watch),
    ),
  );
}

async function moveChunks(
  engine: Engine,
  environment: NodeJS.ProcessEnv,
  request: MoveRequest,
): Promise<void> {
  const secrets = localSecretStore(environment);
  const source = openSource(request.source, secrets);
  const destination = openDestination(request.destination, secrets);
  const { signal } = new AbortController();
  const report = () => undefined;
  await moveInChunks(
    { source, destination, engine, report, warn: report, signal },
    request,
    { sourceTime: '', evidence: [] },
    chunkCount(request),
  );
  await Promise.all([source.close(), destination.close()]);
}

async function main(job: Job): Promise<void> {
  const environment = environmentOf(job);
  const engine = createEmbeddedEngine(environment);
  await perform(job, (one) => move(engine, environment, one));
  await engine.close();
}

main(readJob()).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
