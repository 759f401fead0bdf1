import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Destination, RunIdentity, StagedDataFile } from '../../destinations/destination';
import { partName, runFolder, stagingFolder } from '../../destinations/parquet/layout';
import { ComportaError, isErrorCode } from '../../errors';
import { JOB_ARGUMENTS } from '../../pipeline/job-arguments';
import type { EngineName } from '../../pipeline/pipeline';
import type { Source } from '../../sources/source';
import { describedAs } from '../described-as';
import type { Engine, MoveRequest, MoveResult, MoveWatch } from '../engine';
import { assertDestinationTakes, assertSameColumns, assertSchemaAccepted } from '../schema-drift';
import { jobRequest, jobShape, type JobRequest, type JobResult } from './job-request';
import type { JobRunner } from './job-runner';
import { lakeAddress } from './lake-address';
import { orMoreMemory } from './out-of-memory';

export interface SparkEngineOptions {
  readonly name: Exclude<EngineName, 'embedded'>;
  readonly runner: JobRunner;
  /** Open for longer than a move, and closed by whoever gives it; so is the destination. */
  readonly source: (endpoint: MoveRequest['source']) => Source;
  readonly destination: (endpoint: MoveRequest['destination']) => Destination;
  /** Local path of `jobs/ingest_table.py`. */
  readonly script: string;
  /** Whether a signal's reason means that nobody wants the load any more. */
  readonly shouldCancel: (reason: unknown) => boolean;
}

/**
 * Moves a table by a job of Spark, on whichever platform `runner` stands for. The source is asked here
 * what there is to read, and the job reads and writes it: no row passes through this process. The
 * request lies in the lake's staging folder, under a name that the next attempt of the same load finds
 * again, and with it a job that runs or has ended.
 */
export function createSparkEngine(options: SparkEngineOptions): Engine {
  return {
    name: options.name,
    streams: 0,
    async move(request, watch) {
      watch.signal.throwIfAborted();
      watch.report({ phase: 'connecting', rows: 0, bytes: 0 });
      const source = options.source(request.source);
      const destination = options.destination(request.destination);
      return moveByJob(options, { source, destination }, request, watch);
    },
    close: () => options.runner.close(),
  };
}

interface Ends {
  readonly source: Source;
  readonly destination: Destination;
}

async function moveByJob(
  options: SparkEngineOptions,
  ends: Ends,
  request: MoveRequest,
  watch: MoveWatch,
): Promise<MoveResult> {
  const prepared = await prepare(options, ends, request, watch.signal);
  const moved = await runJob(options, ends, request, prepared, watch);
  // Rows were read by names and expressions of before.
  await assertUnchanged(ends, request, moved, watch.signal);
  return moved;
}

interface Prepared {
  readonly job: JobRequest;
  /** Beside which the tries' own folders lie, relative to the lake's root. */
  readonly folder: string;
  readonly columns: MoveResult['columns'];
  readonly described: ReturnType<typeof describedAs>;
  readonly assertCursor: (value: string) => void;
}

/** Finds or writes the request. */
async function prepare(
  { name }: SparkEngineOptions,
  { source, destination }: Ends,
  request: MoveRequest,
  signal: AbortSignal,
): Promise<Prepared> {
  const { identity, settings, from, token } = request;
  const snapshot = await source.openSnapshot(request.table, signal);
  try {
    const { columns } = snapshot.plan(settings);
    assertSchemaAccepted(identity, settings, request.previousColumns, columns);
    assertDestinationTakes(request, columns);
    const filter = settings.where === undefined ? {} : { where: settings.where };
    const shape = jobShape(request, snapshot.inSql(settings, filter));
    // What was read under other settings, or of other columns, is of no use.
    const sameness = digest({ shape, filter, from, settings: token?.settings });
    const folder = `${stagingFolder(identity.domain, identity.entity)}/${identity.run}.${name}-${sameness}`;
    const path = requestPath(folder);
    // An attempt that was frozen here must not change the request of a job that its successor started.
    const job = ((await destination.getDocument(path)) ??
      (await destination.putDocumentOnce(
        path,
        await jobRequest(request, snapshot, shape),
      ))) as JobRequest;
    const cursor = settings.cursor?.column;
    return {
      ...{ job, folder, columns },
      described: describedAs(snapshot.description),
      // Of the table as it was described: it asks no server.
      assertCursor: (value) => {
        if (cursor !== undefined) snapshot.assertCursor(cursor, value);
      },
    };
  } finally {
    await snapshot.close();
  }
}

function requestPath(folder: string): string {
  return `${folder}/request.json`;
}

/**
 * Runs the job and takes its result. The outcome of a job that ended well may be gone, with an earlier
 * attempt that had begun to publish it: then one more is run.
 */
async function runJob(
  options: SparkEngineOptions,
  ends: Ends,
  request: MoveRequest,
  prepared: Prepared,
  watch: MoveWatch,
): Promise<MoveResult> {
  const { generation } = prepared.job;
  const moved = await runOnce(options, ends, request, { ...prepared, generation }, watch);
  if (moved !== undefined) return moved;
  const next = { ...prepared.job, generation: generation + 1 };
  await ends.destination.putDocument(requestPath(prepared.folder), next);
  const again = { ...prepared, generation: next.generation };
  const movedAgain = await runOnce(options, ends, request, again, watch);
  if (movedAgain !== undefined) return movedAgain;
  throw new ComportaError('EngineFailed', 'the Spark job ended well and left no result', {
    pipeline: request.identity.pipeline,
    table: request.identity.table,
    remedy: 'see its own log; the load is tried again with another job',
  });
}

/** Undefined: the job succeeded, and what it wrote is not there. */
async function runOnce(
  options: SparkEngineOptions,
  { destination }: Ends,
  request: MoveRequest,
  { generation, ...prepared }: Prepared & { readonly generation: number },
  watch: MoveWatch,
): Promise<MoveResult | undefined> {
  const { identity } = request;
  const { folder } = prepared;
  const address = lakeAddress(request.destination, requestPath(folder));
  const job = {
    id: jobId(identity, folder, generation),
    labels: { pipeline: identity.pipeline, table: identity.table, batch: identity.batch },
    script: options.script,
    arguments: (attempt: number) => [
      ...[JOB_ARGUMENTS.request, address],
      ...[JOB_ARGUMENTS.attempt, String(attempt)],
    ],
  };
  const { attempt, failure } = await options.runner.run(job, {
    signal: watch.signal,
    shouldCancel: options.shouldCancel,
    report: (state) => watch.report({ phase: 'reading', rows: 0, bytes: 0, job: state }),
  });
  const written = `${folder}-${attempt}`;
  const result = (await destination.getDocument(`${written}/result.json`)) as JobResult | undefined;
  // What the job itself says of its failure is better than the platform's word that it failed.
  if (result !== undefined && 'error' in result) {
    throw orMoreMemory(ownFailure(identity, result), options.name);
  }
  if (failure !== undefined) throw orMoreMemory(failure, options.name);
  if (result === undefined) return undefined;
  const moved = moveResult(identity, prepared, written, result);
  const waits = await Promise.all(moved.files.map((file) => destination.isStaged(file)));
  return waits.every(Boolean) ? moved : undefined;
}

/** `[a-z][a-z0-9-]{0,50}`, the same for every attempt of the load. */
function jobId({ run }: RunIdentity, folder: string, generation: number): string {
  const id = `comporta-${digest({ run, folder })}`;
  return generation === 0 ? id : `${id}-${generation}`;
}

function digest(document: unknown): string {
  return createHash('sha256').update(JSON.stringify(document)).digest('hex').slice(0, 16);
}

function ownFailure(
  { pipeline, table }: RunIdentity,
  { error: { code, problem, remedy } }: Extract<JobResult, { readonly error: unknown }>,
): ComportaError {
  return new ComportaError(isErrorCode(code) ? code : 'EngineFailed', problem, {
    ...{ pipeline, table },
    ...(remedy == null ? {} : { remedy }),
  });
}

type JobOutcome = Exclude<JobResult, { readonly error: unknown }>;

/** A script of another version of Comporta, or a result that somebody put there, is not published. */
function assertAskedColumns(
  { pipeline, table }: RunIdentity,
  asked: MoveResult['columns'],
  { columns }: JobOutcome,
): void {
  const expected = asked.map(({ name, type }) => ({ name, type }));
  if (isDeepStrictEqual(columns, expected)) return;
  throw new ComportaError(
    'EngineFailed',
    'the Spark job wrote other columns than it was asked for',
    {
      ...{ pipeline, table },
      remedy: 'see that the job runs the script of the Comporta version that the workers run',
    },
  );
}

function moveResult(
  identity: RunIdentity,
  { job, columns, described, assertCursor }: Prepared,
  folder: string,
  result: JobOutcome,
): MoveResult {
  assertAskedColumns(identity, columns, result);
  const files = result.files.map(({ path, rows, bytes, sha256, nulls }, index): StagedDataFile => ({
    path: `${runFolder(identity)}/${partName('part', index, identity)}`,
    ...{ rows, bytes, sha256 },
    nulls: columns.map(({ name }, column) => [name, nulls[column] ?? 0] as const),
    receipt: { staging: `${folder}/${path}` },
  }));
  const cursorHigh = job.reads.length > 1 ? job.cursorHigh : (result.maximum ?? undefined);
  if (cursorHigh !== undefined) assertCursor(cursorHigh);
  return {
    rowsAtSource: result.rowsAtSource,
    rowsRead: result.rowsRead,
    rowsWritten: files.reduce((sum, file) => sum + file.rows, 0),
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    ...{ files, columns, ...described },
    invalidValues: result.invalidValues,
    ...(cursorHigh === undefined ? {} : { cursorHigh }),
    ...(job.token === undefined ? {} : { token: job.token }),
  };
}

/** Throws SourceInterrupted when the table's columns are others than when the request was written. */
async function assertUnchanged(
  { source }: Ends,
  { identity, table, settings }: MoveRequest,
  { columns }: MoveResult,
  signal: AbortSignal,
): Promise<void> {
  const snapshot = await source.openSnapshot(table, signal);
  try {
    assertSameColumns(identity, columns, snapshot.plan(settings).columns);
  } finally {
    await snapshot.close();
  }
}
