import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Destination, RunIdentity } from '../destinations/destination';
import type { TableToken } from '../detection/detection';
import { describedAs } from '../engines/described-as';
import type { Engine, LoadProgress, MoveRequest, MoveResult } from '../engines/engine';
import { areSameColumns, assertSchemaAccepted } from '../engines/schema-drift';
import type { KeyRange, Source, SplitKey, TableSnapshot } from '../sources/source';
import type { ColumnSpec } from '../types/logical';
import { assertCounts } from './guards';
import { orDiscard } from './or-discard';

/** What a load in chunks is made by: fixed before its first chunk, for all attempts. Plain data. */
interface ChunkPlan {
  /** What the notes of its chunks name it by. */
  readonly id: string;
  /** Read before the first chunk: what was committed since differs from it at the next check. */
  readonly token: TableToken;
  readonly key: SplitKey;
  readonly ranges: readonly KeyRange[];
  readonly columns: readonly ColumnSpec[];
  readonly cursorHigh?: string;
}

type ChunkResult = Pick<
  MoveResult,
  'rowsAtSource' | 'rowsRead' | 'rowsWritten' | 'bytes' | 'files' | 'invalidValues'
>;

interface ChunkNote {
  readonly plan: string;
  readonly result: ChunkResult;
}

export interface ChunkDependencies {
  readonly source: Pick<Source, 'openSnapshot'>;
  readonly destination: Pick<Destination, 'discard' | 'isStaged' | 'notes' | 'putNote'>;
  readonly engine: Engine;
  readonly report: (progress: LoadProgress) => void;
  readonly warn: (message: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Moves a table in ranges of its key, several at a time. The plan, and each chunk that is finished,
 * are noted beside the staged files: a later attempt of the run keeps to the plan and moves what is
 * missing. The token returned is the plan's.
 */
export async function moveInChunks(
  deps: ChunkDependencies,
  request: MoveRequest,
  token: TableToken,
  count: number,
): Promise<{ readonly moved: MoveResult; readonly token: TableToken }> {
  const { identity, table, settings } = request;
  deps.report({ phase: 'connecting', rows: 0, bytes: 0 });
  const snapshot = await deps.source.openSnapshot(table, deps.signal);
  try {
    const { columns } = snapshot.plan(settings);
    assertSchemaAccepted(identity, settings, request.previousColumns, columns);
    const key = await snapshot.splitKey();
    const known = key?.by === 'key' ? await notedPlan(deps, identity) : undefined;
    const isGood =
      known !== undefined &&
      isDeepStrictEqual(known.plan.key, key) &&
      areSameColumns(known.plan.columns, columns) &&
      known.plan.token.settings === token.settings;
    const plan = isGood
      ? known.plan
      : await makePlan(snapshot, request, { token, columns, key, count });
    const finished = isGood ? known.finished : new Map<number, ChunkResult>();
    if (!isGood && plan.key.by === 'key') {
      await deps.destination.putNote(identity, PLAN, plan);
    }
    // Where others cannot see what this snapshot sees it would only keep the server from tidying up.
    const shared = await snapshot.share();
    if (shared === undefined) await snapshot.close();

    const results = await moveMissing(deps, request, plan, finished, shared);
    const moved = sumOf(plan, results, describedAs(snapshot.description));
    return { moved, token: plan.token };
  } finally {
    await snapshot.close();
  }
}

const PLAN = 'plan';
const chunkNote = (chunk: number) => `chunk-${String(chunk).padStart(4, '0')}`;

/** The plan that an earlier attempt noted, and the chunks of it whose files still wait. */
async function notedPlan(
  { destination }: ChunkDependencies,
  identity: RunIdentity,
): Promise<{ plan: ChunkPlan; finished: Map<number, ChunkResult> } | undefined> {
  // Written by an earlier attempt of this run, by this code or that of a release before it.
  const notes = await destination.notes(identity);
  const plan = notes.get(PLAN) as ChunkPlan | undefined;
  if (plan === undefined) return undefined;
  const finished = new Map<number, ChunkResult>();
  for (const chunk of plan.ranges.keys()) {
    const note = notes.get(chunkNote(chunk)) as ChunkNote | undefined;
    if (note?.plan !== plan.id) continue;
    const waits = await Promise.all(note.result.files.map((file) => destination.isStaged(file)));
    if (waits.every(Boolean)) finished.set(chunk, note.result);
  }
  return { plan, finished };
}

async function makePlan(
  snapshot: TableSnapshot,
  { settings }: MoveRequest,
  {
    token,
    columns,
    key,
    count,
  }: {
    readonly token: TableToken;
    readonly columns: readonly ColumnSpec[];
    readonly key: SplitKey | undefined;
    readonly count: number;
  },
): Promise<ChunkPlan> {
  const { cursor } = settings;
  const cursorHigh = cursor === undefined ? undefined : await snapshot.maximum(cursor.column, {});
  // Divided by nothing it is one chunk, of everything.
  const whole: SplitKey = { by: 'blocks' };
  const ranges = key === undefined ? [{ key: whole }] : await snapshot.split(key, count);
  return {
    ...{ id: randomUUID(), token, columns, ranges, key: key ?? whole },
    ...(cursorHigh === undefined ? {} : { cursorHigh }),
  };
}

/** Results by chunk. The first failure ends the chunks under way; what was noted stays. */
async function moveMissing(
  deps: ChunkDependencies,
  request: MoveRequest,
  plan: ChunkPlan,
  finished: ReadonlyMap<number, ChunkResult>,
  shared: string | undefined,
): Promise<readonly ChunkResult[]> {
  const failure = new AbortController();
  const signal = AbortSignal.any([deps.signal, failure.signal]);
  const results = new Map(finished);
  const progress = new Map<number, LoadProgress>();
  const report = () => deps.report(progressOf(request, plan, results, progress));

  const move = async (chunk: number, range: KeyRange) => {
    const identity = { ...request.identity, chunk };
    const { columns } = plan;
    const part = { range, columns, ...(shared === undefined ? {} : { snapshot: shared }) };
    const watch = {
      signal,
      report(latest: LoadProgress) {
        progress.set(chunk, latest);
        report();
      },
    };
    const moved = await orDiscard(deps, identity, async () => {
      const result = await deps.engine.move({ ...request, identity, part }, watch);
      assertCounts(identity, result);
      return result;
    });
    const { rowsAtSource, rowsRead, rowsWritten, bytes, files, invalidValues } = moved;
    const result = { rowsAtSource, rowsRead, rowsWritten, bytes, files, invalidValues };
    if (plan.key.by === 'key') {
      const note: ChunkNote = { plan: plan.id, result };
      await deps.destination.putNote(identity, chunkNote(chunk), note);
    }
    progress.delete(chunk);
    results.set(chunk, result);
    report();
  };

  const missing = [...plan.ranges.entries()].filter(([chunk]) => !results.has(chunk));
  report();
  const workers = Array.from({ length: deps.engine.streams }, async () => {
    for (let next = missing.shift(); next !== undefined; next = missing.shift()) {
      signal.throwIfAborted();
      await move(...next);
    }
  });
  const first = Promise.all(workers).catch((error: unknown) => {
    failure.abort(error);
    throw error;
  });
  // Until all have ended, some may still write.
  await Promise.allSettled([first, ...workers]);
  await first;
  return plan.ranges.map((_, chunk) => results.get(chunk)!);
}

function progressOf(
  { table }: MoveRequest,
  { ranges }: ChunkPlan,
  results: ReadonlyMap<number, ChunkResult>,
  progress: ReadonlyMap<number, LoadProgress>,
): LoadProgress {
  const underWay = [...progress.values()];
  const done = [...results.values()];
  return {
    phase:
      underWay.some(({ phase }) => phase === 'reading') || done.length > 0
        ? 'reading'
        : (underWay[0]?.phase ?? 'connecting'),
    rows: total(underWay, ({ rows }) => rows) + total(done, ({ rowsRead }) => rowsRead),
    ...(table.approximateRows === undefined ? {} : { rowsExpected: table.approximateRows }),
    bytes: total(underWay, ({ bytes }) => bytes) + total(done, ({ bytes }) => bytes),
    chunks: { done: done.length, of: ranges.length },
  };
}

function sumOf(
  { columns, cursorHigh }: ChunkPlan,
  results: readonly ChunkResult[],
  described: ReturnType<typeof describedAs>,
): MoveResult {
  const files = results.flatMap((result) => result.files);
  const filled = files.filter(({ rows }) => rows > 0);
  return {
    rowsAtSource: total(results, ({ rowsAtSource }) => rowsAtSource),
    rowsRead: total(results, ({ rowsRead }) => rowsRead),
    rowsWritten: total(results, ({ rowsWritten }) => rowsWritten),
    bytes: total(results, ({ bytes }) => bytes),
    // Of a table without rows one file stays: it carries the columns.
    files: filled.length > 0 ? filled : files.slice(0, 1),
    columns,
    ...described,
    invalidValues: total(results, ({ invalidValues }) => invalidValues),
    ...(cursorHigh === undefined ? {} : { cursorHigh }),
  };
}

function total<Item>(items: readonly Item[], amount: (item: Item) => number): number {
  return items.reduce((sum, item) => sum + amount(item), 0);
}
