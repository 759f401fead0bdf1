import type { Destination, PublishedState, RunIdentity } from '../destinations/destination';
import type { TableToken, Verdict } from '../detection/detection';
import { chunkCount } from '../engines/chunk-count';
import type { Engine, LoadProgress, MoveRequest, MoveResult } from '../engines/engine';
import { ComportaError, messageOf } from '../errors';
import { schemaChanges, schemaFingerprint } from '../history/columns';
import { eventId, type History, type HistoryEvent, type Lease } from '../history/history';
import type { Pipeline, TableSettings } from '../pipeline/pipeline';
import { settingsFor } from '../pipeline/settings';
import { tokenRequest } from '../plan/make-plan';
import { settingsFingerprint } from '../plan/settings-fingerprint';
import type { RowFilter, Source, SourceTable } from '../sources/source';
import type { SpanAttributes, Tracer } from '../tracing/tracing';
import type { LoadResult } from '../workflows/api';
import { assertCounts, assertNotEmptied } from './guards';
import { moveInChunks } from './move-in-chunks';
import { orDiscard } from './or-discard';
import type { SourcePlaces } from './source-places';
import { acquireLease } from './take-lease';

export interface LoadDependencies {
  readonly pipeline: Pipeline;
  readonly source: Source;
  readonly destination: Destination;
  /** The same two, as the engine is told of them. */
  readonly endpoints: Pick<MoveRequest, 'source' | 'destination'>;
  readonly history: History;
  /** Of the source. Undefined: it takes as many loads as come. */
  readonly places?: SourcePlaces | undefined;
  readonly engine: Engine;
  readonly now: () => Date;
  readonly report: (progress: LoadProgress) => void;
  /** For what must not fail the load: a retention that could not delete a file. */
  readonly warn: (message: string) => void;
  readonly tracer: Tracer;
  readonly signal: AbortSignal;
}

export interface LoadRequest {
  readonly identity: RunIdentity;
  readonly decision: Verdict;
  readonly workflowId: string;
  readonly workflowRunId: string;
}

/**
 * Loads one table: lease, place at the source, token, rows, counts, guards, publication, record, in
 * that order. Every step may be repeated: a later attempt of the same run stages apart from the
 * earlier one, and finds a finished publication instead of making another.
 */
export async function loadTable(deps: LoadDependencies, request: LoadRequest): Promise<LoadResult> {
  const { identity } = request;
  const startedAt = deps.now();
  const settings = settingsFor(deps.pipeline, identity.table);
  const record = eventFactory(deps, request, settings, startedAt);
  const step = stepsOf(deps, identity);
  const lease = await step('lease', () => acquireLease(deps, identity, () => record.started()));
  try {
    const before = await deps.destination.published(identity.domain, identity.entity);
    if (before?.run === identity.run) {
      return await recordPublished(deps, identity, lease.current, before, record);
    }

    const read = await atPlace(deps, step, (signal) =>
      readTable({ ...deps, signal }, step, { identity, settings, before }),
    );
    const { moved, token, previousColumns } = read;
    const published = await step('publish', () =>
      publish(deps, request, settings, lease.current, read),
    );

    deps.report({ phase: 'recording', rows: moved.rowsRead, bytes: moved.bytes });
    const event = record.succeeded({
      token,
      published,
      schemaChanges:
        previousColumns === undefined ? [] : schemaChanges(previousColumns, moved.columns),
      invalidValues: moved.invalidValues,
      rowsRead: moved.rowsRead,
      bytes: moved.bytes,
    });
    await step('record', () => deps.history.append([event]));
    await keepTheRule(deps, identity, lease.current);
    return resultOf(event, published);
  } finally {
    await lease.release();
  }
}

/** Runs a phase of the load as a span of its trace. */
type Step = <Result>(
  name: string,
  body: (note: (attributes: SpanAttributes) => void) => Promise<Result>,
) => Promise<Result>;

function stepsOf({ tracer }: LoadDependencies, { pipeline, table, batch, run }: RunIdentity): Step {
  const attributes = {
    'comporta.pipeline': pipeline,
    'comporta.table': table,
    'comporta.batch': batch,
    'comporta.run': run,
  };
  return (name, body) => tracer.span(name, attributes, body);
}

/** Does what is asked of the source, once it has a place for this load. */
async function atPlace<Result>(
  deps: LoadDependencies,
  step: Step,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const { places } = deps;
  if (places === undefined) return work(deps.signal);
  const place = await step('place', () =>
    places.take(deps.signal, (waitingFor) =>
      deps.report({ phase: 'waiting', waitingFor, rows: 0, bytes: 0 }),
    ),
  );
  deps.report({ phase: 'connecting', rows: 0, bytes: 0 });
  try {
    return await work(AbortSignal.any([deps.signal, place.signal]));
  } finally {
    place.release();
  }
}

interface ToRead {
  readonly identity: RunIdentity;
  readonly settings: TableSettings;
  readonly before: PublishedState | undefined;
}

/** What came of reading a table. */
interface ReadTable {
  readonly moved: MoveResult;
  readonly token: TableToken;
  /** Undefined: the whole table was read. */
  readonly from: RowFilter['from'];
  readonly previousColumns: HistoryEvent['columns'];
}

async function readTable(
  deps: LoadDependencies,
  step: Step,
  { identity, settings, before }: ToRead,
): Promise<ReadTable> {
  const states = await deps.history.states(identity.pipeline, [identity.table]);
  const previous = states.get(identity.table)?.lastSuccess;
  const table = await findTable(deps.source, identity);
  const tokenNow = await step('token', () => readToken(deps, table, settings));
  const from = lowerBound(settings, tokenNow, previous, before);
  const previousColumns = previous?.columns;
  const request: MoveRequest = {
    identity,
    source: deps.endpoints.source,
    destination: deps.endpoints.destination,
    table,
    settings,
    ...(from === undefined ? {} : { from }),
    ...(previousColumns === undefined ? {} : { previousColumns }),
  };
  const { moved, token } = await step('move', async (note) => {
    const outcome = await moveTable(deps, request, tokenNow);
    const { rowsRead, bytes } = outcome.moved;
    note({ 'comporta.rows': rowsRead, 'comporta.bytes': bytes });
    return outcome;
  });
  if (from === undefined) {
    await orDiscard(deps, identity, () => assertNotEmptied(deps, table, settings, before, moved));
  }
  return { moved, token, from, previousColumns };
}

/** As a whole or in chunks, whose plan may be an earlier attempt's, with the token of that time. */
async function moveTable(
  deps: LoadDependencies,
  request: MoveRequest,
  token: TableToken,
): Promise<Pick<ReadTable, 'moved' | 'token'>> {
  const chunks = deps.engine.streams === 0 ? 1 : chunkCount(request);
  if (chunks > 1) return moveInChunks(deps, request, token, chunks);
  const moved = await moveWhole(deps, { ...request, token });
  return { moved, token: moved.token ?? token };
}

async function moveWhole(deps: LoadDependencies, move: MoveRequest): Promise<MoveResult> {
  return orDiscard(deps, move.identity, async () => {
    const moved = await deps.engine.move(move, deps);
    assertCounts(move.identity, moved);
    return moved;
  });
}

async function findTable(source: Source, identity: RunIdentity): Promise<SourceTable> {
  const tables = await source.listTables([identity.table]);
  const table = tables.find(({ id }) => id === identity.table);
  if (table !== undefined) return table;
  throw new ComportaError('TableNotFound', 'the table is not in the source', {
    pipeline: identity.pipeline,
    table: identity.table,
    remedy: 'check that it still exists and that the connection may see it',
  });
}

/**
 * The token is read before the snapshot: what commits in between loads now and again next time.
 * Nothing is compared here, so the source is not told of the previous token and need not look back.
 */
async function readToken(
  deps: LoadDependencies,
  table: SourceTable,
  settings: TableSettings,
): Promise<TableToken> {
  const request = tokenRequest({ table, settings, state: undefined });
  const tokens = await deps.source.readTokens([request]);
  const token = tokens.get(table.id);
  const sourceTime = token?.sourceTime ?? deps.now().toISOString();
  return {
    sourceTime,
    evidence: token?.evidence ?? [],
    settings: settingsFingerprint(deps.pipeline, settings, deps.destination),
  };
}

/**
 * Where an incremental or append load goes on. Undefined reads the whole table: the first load,
 * after a reset, when the lake's state is not the one that the history speaks of, or when the
 * settings changed what a row looks like.
 */
function lowerBound(
  settings: TableSettings,
  token: TableToken,
  previous: HistoryEvent | undefined,
  published: PublishedState | undefined,
): RowFilter['from'] {
  if (settings.mode === 'full' || settings.cursor === undefined) return undefined;
  if (previous?.cursorHigh === undefined || published?.run !== previous.run) return undefined;
  if (previous.token?.settings !== token.settings) return undefined;
  // Without a key, rows at the bound cannot be told from those already there.
  const exclusive = settings.mode === 'append' && settings.key === undefined;
  return {
    column: settings.cursor.column,
    value: previous.cursorHigh,
    lookBack: exclusive ? 0 : settings.cursor.lookBack,
    exclusive,
  };
}

/** What tells rows apart when they are merged into those already published. */
function mergeKey(
  identity: RunIdentity,
  settings: TableSettings,
  moved: MoveResult,
): readonly string[] {
  if (settings.mode === 'append') return settings.key ?? [];
  const key = settings.key ?? moved.primaryKey;
  if (settings.mode === 'incremental' && key.length === 0) {
    throw new ComportaError('ConfigurationInvalid', 'an incremental load needs a key to merge by', {
      pipeline: identity.pipeline,
      table: identity.table,
      remedy: 'the table has no primary key: set key in its override, or use mode: full',
    });
  }
  return key;
}

async function publish(
  deps: LoadDependencies,
  { identity }: LoadRequest,
  settings: TableSettings,
  lease: Lease,
  { moved, token, from }: ReadTable,
): Promise<PublishedState> {
  deps.report({ phase: 'publishing', rows: moved.rowsRead, bytes: moved.bytes });
  return deps.destination.publish({
    identity,
    mode: from === undefined ? 'full' : settings.mode,
    files: moved.files,
    columns: moved.columns,
    key: mergeKey(identity, settings, moved),
    token,
    rowsAtSource: moved.rowsAtSource,
    rowsWritten: moved.rowsWritten,
    ...(moved.cursorHigh === undefined ? {} : { cursorHigh: moved.cursorHigh }),
    ...(moved.tableComment === undefined ? {} : { tableComment: moved.tableComment }),
    ...(settings.bigquery === undefined ? {} : { bigquery: settings.bigquery }),
    fence: lease.fence,
    assertOwner: () => lease.assertHeld(),
    signal: deps.signal,
  });
}

/** An earlier attempt of this run was stopped between the swap and the record. */
async function recordPublished(
  deps: LoadDependencies,
  identity: RunIdentity,
  lease: Lease,
  published: PublishedState,
  record: EventFactory,
): Promise<LoadResult> {
  const event = record.succeeded({
    token: published.token,
    published,
    schemaChanges: [],
    rowsRead: published.rowsWritten,
    bytes: published.files.reduce((sum, file) => sum + file.bytes, 0),
  });
  await deps.history.append([event]);
  await keepTheRule(deps, identity, lease);
  return resultOf(event, published);
}

async function keepTheRule(
  deps: LoadDependencies,
  { domain, entity }: RunIdentity,
  lease: Lease,
): Promise<void> {
  try {
    // A later owner may be staging by now.
    await lease.assertHeld();
    await deps.destination.retain(domain, entity, deps.pipeline.destination.retention);
  } catch (error) {
    deps.warn(`old loads of ${domain}/${entity} could not be deleted: ${messageOf(error)}`);
  }
}

function resultOf(event: HistoryEvent, published: PublishedState): LoadResult {
  return {
    run: event.run,
    rows: event.rowsRead ?? 0,
    rowsPublished: published.rows,
    bytes: event.bytes ?? 0,
    durationMs: event.durationMs ?? 0,
    files: published.files.length,
  };
}

interface Succeeded {
  readonly token: TableToken;
  readonly published: PublishedState;
  readonly schemaChanges: readonly string[];
  readonly rowsRead: number;
  readonly bytes: number;
  readonly invalidValues?: number;
}

interface EventFactory {
  started(): HistoryEvent;
  succeeded(outcome: Succeeded): HistoryEvent;
}

function eventFactory(
  deps: LoadDependencies,
  { identity, decision, workflowId, workflowRunId }: LoadRequest,
  settings: TableSettings,
  startedAt: Date,
): EventFactory {
  const common = (kind: 'STARTED' | 'SUCCEEDED') => ({
    id: eventId({ kind, pipeline: identity.pipeline, table: identity.table, scope: identity.run }),
    kind,
    recordedAt: deps.now().toISOString(),
    pipeline: identity.pipeline,
    table: identity.table,
    batch: identity.batch,
    run: identity.run,
    mode: settings.mode,
    engine: settings.engine,
    verdict: decision.verdict,
    reason: decision.reason,
    startedAt: startedAt.toISOString(),
    attempts: identity.attempt,
    workflowId,
    workflowRunId,
  });
  return {
    started: () => common('STARTED'),
    succeeded: ({ token, published, ...counts }) => {
      const endedAt = deps.now();
      return {
        ...common('SUCCEEDED'),
        ...counts,
        token,
        ...(published.cursorHigh === undefined ? {} : { cursorHigh: published.cursorHigh }),
        rowsAtSource: published.rowsAtSource,
        rowsWritten: published.rowsWritten,
        rowsPublished: published.rows,
        ...(published.bytesBilled === undefined ? {} : { bytesBilled: published.bytesBilled }),
        endedAt: endedAt.toISOString(),
        durationMs: endedAt.getTime() - startedAt.getTime(),
        files: published.files.map((file) => file.path),
        columns: published.columns,
        schemaFingerprint: schemaFingerprint(published.columns),
      };
    },
  };
}
