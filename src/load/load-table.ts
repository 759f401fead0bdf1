import type { Destination, PublishedState, RunIdentity } from '../destinations/destination';
import type { TableToken, Verdict } from '../detection/detection';
import type { Engine, LoadProgress, MoveRequest, MoveResult } from '../engines/engine';
import { ComportaError, messageOf } from '../errors';
import { schemaChanges, schemaFingerprint } from '../history/columns';
import { eventId, type History, type HistoryEvent, type Lease } from '../history/history';
import type { Pipeline, TableSettings } from '../pipeline/pipeline';
import { settingsFor } from '../pipeline/settings';
import { tokenRequest } from '../plan/make-plan';
import { settingsFingerprint } from '../plan/settings-fingerprint';
import type { RowFilter, Source, SourceTable } from '../sources/source';
import type { LoadResult } from '../workflows/api';
import { assertCounts, assertNotEmptied } from './guards';
import { chunkCount, moveInChunks } from './move-in-chunks';
import { orDiscard } from './or-discard';
import { acquireLease } from './take-lease';

export interface LoadDependencies {
  readonly pipeline: Pipeline;
  readonly source: Source;
  readonly destination: Destination;
  /** The same two, as the engine is told of them. */
  readonly endpoints: Pick<MoveRequest, 'source' | 'destination'>;
  readonly history: History;
  readonly engine: Engine;
  readonly now: () => Date;
  readonly report: (progress: LoadProgress) => void;
  /** For what must not fail the load: a retention that could not delete a file. */
  readonly warn: (message: string) => void;
  readonly signal: AbortSignal;
}

export interface LoadRequest {
  readonly identity: RunIdentity;
  readonly decision: Verdict;
  readonly workflowId: string;
  readonly workflowRunId: string;
}

/**
 * Loads one table: lease, token, rows, counts, guards, publication, record, in that order. Every
 * step may be repeated: a later attempt of the same run stages apart from the earlier one, and
 * finds a finished publication instead of making another.
 */
export async function loadTable(deps: LoadDependencies, request: LoadRequest): Promise<LoadResult> {
  const { identity } = request;
  const startedAt = deps.now();
  const settings = settingsFor(deps.pipeline, identity.table);
  const record = eventFactory(deps, request, settings, startedAt);
  const lease = await acquireLease(deps, identity, () => record.started());
  try {
    const state = (await deps.history.states(identity.pipeline, [identity.table])).get(
      identity.table,
    );
    const previous = state?.lastSuccess;

    const before = await deps.destination.published(identity.domain, identity.entity);
    if (before?.run === identity.run) {
      return await recordPublished(deps, identity, before, record);
    }

    const table = await findTable(deps.source, identity);
    const tokenNow = await readToken(deps, table, settings);
    const from = lowerBound(settings, tokenNow, previous, before);

    const previousColumns = previous?.columns;
    const move: MoveRequest = {
      identity,
      source: deps.endpoints.source,
      destination: deps.endpoints.destination,
      table,
      settings,
      ...(from === undefined ? {} : { from }),
      ...(previousColumns === undefined ? {} : { previousColumns }),
    };
    const chunks = chunkCount(move);
    const { moved, token } =
      chunks > 1
        ? await moveInChunks(deps, move, tokenNow, chunks)
        : { moved: await moveWhole(deps, move), token: tokenNow };
    if (from === undefined) {
      await orDiscard(deps, identity, () => assertNotEmptied(deps, table, settings, before, moved));
    }
    const published = await publish(deps, request, settings, lease.current, token, moved, from);

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
    await deps.history.append([event]);
    await keepTheRule(deps, identity);
    return resultOf(event, published);
  } finally {
    await lease.release();
  }
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
  token: TableToken,
  moved: MoveResult,
  from: RowFilter['from'],
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
    fence: lease.fence,
    assertOwner: () => lease.assertHeld(),
    signal: deps.signal,
  });
}

/** An earlier attempt of this run was stopped between the swap and the record. */
async function recordPublished(
  deps: LoadDependencies,
  identity: RunIdentity,
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
  await keepTheRule(deps, identity);
  return resultOf(event, published);
}

async function keepTheRule(deps: LoadDependencies, { domain, entity }: RunIdentity): Promise<void> {
  try {
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
        endedAt: endedAt.toISOString(),
        durationMs: endedAt.getTime() - startedAt.getTime(),
        files: published.files.map((file) => file.path),
        columns: published.columns,
        schemaFingerprint: schemaFingerprint(published.columns),
      };
    },
  };
}
