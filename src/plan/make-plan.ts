import { decide } from '../detection/decide';
import type { TableToken, Verdict } from '../detection/detection';
import type { Destination } from '../destinations/destination';
import { ComportaError } from '../errors';
import { isAdopted, type History, type TableState } from '../history/history';
import { entityName } from '../pipeline/entity';
import { nearest } from '../pipeline/mistakes';
import type { Pipeline, TableSettings } from '../pipeline/pipeline';
import { selectTables, settingsFor, unmatchedOverrides } from '../pipeline/settings';
import type { Source, SourceTable, TokenRequest } from '../sources/source';
import { engineTaskQueue, type PlanLoadRequest, type PlannedLoad } from '../workflows/api';
import type { Plan } from './plan';
import { settingsFingerprint } from './settings-fingerprint';

export interface PlanDependencies {
  readonly pipeline: Pipeline;
  readonly source: Source;
  readonly destination: Destination;
  readonly history: History;
  readonly now: () => Date;
}

/** One table with everything that its decision needs. */
interface Candidate {
  readonly table: SourceTable;
  readonly settings: TableSettings;
  readonly state: TableState | undefined;
}

/**
 * Decides for every table of a pipeline whether it loads, and why. Reads, and changes nothing.
 * Throws TableNotFound for a requested table that the pipeline does not have.
 */
export async function makePlan(deps: PlanDependencies, request: PlanLoadRequest): Promise<Plan> {
  const { pipeline, source, history } = deps;
  const all = await source.listTables();
  const selected = selectTables(pipeline, all);
  const states = await history.states(pipeline.name);
  const wanted = await wantedTables(deps, request, selected);

  const candidates = wanted.map((table) => ({
    table,
    settings: settingsFor(pipeline, table.id),
    state: states.get(table.id),
  }));
  const forced = forcedBy(request);
  const decisions =
    forced === undefined
      ? await detect(deps, candidates)
      : new Map(candidates.map(({ table }) => [table.id, forced]));

  const decided = await unlessMissing(
    deps,
    candidates.map((candidate) => ({
      ...candidate,
      decision: decisions.get(candidate.table.id) ?? {
        verdict: 'unknown' as const,
        reason: 'the source gave no token',
      },
    })),
  );
  return {
    pipeline: pipeline.name,
    batch: request.batch,
    plannedAt: deps.now().toISOString(),
    source: `${source.dialect}:${pipeline.source.connection}`,
    destination: deps.destination.description,
    concurrency: pipeline.concurrency,
    loads: decided
      .filter(({ decision }) => decision.verdict !== 'unchanged')
      .sort(longestFirst)
      .map(({ table, settings, decision }) => ({
        table: table.id,
        mode: settings.mode,
        decision,
        load: loadOptions(settings),
      })),
    skips: decided
      .filter(({ decision }) => decision.verdict === 'unchanged')
      .map(({ table, decision }) => ({ table: table.id, decision })),
    warnings: request.tables === undefined ? warnings(pipeline, all, selected, states) : [],
  };
}

/** The tables to consider: all selected ones, those asked for by id, or those that failed before. */
async function wantedTables(
  deps: PlanDependencies,
  request: PlanLoadRequest,
  selected: readonly SourceTable[],
): Promise<readonly SourceTable[]> {
  let wanted = selected;
  if (request.tables !== undefined && request.tables.length > 0) {
    wanted = request.tables.map((id) => findTable(deps.pipeline, selected, id));
  }
  if (request.failedOf !== undefined) {
    const outcomes = await deps.history.outcomes(deps.pipeline.name, request.failedOf);
    if (outcomes.size === 0) {
      throw new ComportaError(
        'ConfigurationInvalid',
        `no batch "${request.failedOf}" in the history`,
        {
          pipeline: deps.pipeline.name,
          remedy: `run "npm run history -- ${deps.pipeline.name}" to see the batches`,
        },
      );
    }
    // A load that began and never ended (its workflow was terminated) is one to repeat as well.
    wanted = wanted.filter((table) => {
      const outcome = outcomes.get(table.id)?.kind;
      return outcome === 'FAILED' || outcome === 'STARTED';
    });
  }
  return wanted;
}

/** The table that a person means: by its id, or by its name alone where only one table has it. */
function findTable(
  pipeline: Pipeline,
  selected: readonly SourceTable[],
  asked: string,
): SourceTable {
  const exact = selected.find(({ id }) => id === asked);
  if (exact !== undefined) return exact;
  const named = selected.filter(({ name }) => name === asked);
  const [only] = named;
  if (only !== undefined && named.length === 1) return only;
  const meant =
    named.length > 1 ? named.map(({ id }) => id).join('" or "') : nearestId(selected, asked);
  throw new ComportaError('TableNotFound', `the pipeline has no table "${asked}"`, {
    pipeline: pipeline.name,
    remedy:
      meant === undefined
        ? 'check the name, and tables.include and tables.exclude in the pipeline file'
        : `did you mean "${meant}"? Otherwise check tables.include and tables.exclude`,
  });
}

/** By id or by name, since people leave out the schema. */
function nearestId(selected: readonly SourceTable[], asked: string): string | undefined {
  const idOf = new Map([
    ...selected.map(({ name, id }) => [name, id] as const),
    ...selected.map(({ id }) => [id, id] as const),
  ]);
  return idOf.get(nearest(asked, idOf.keys()) ?? '');
}

function forcedBy(request: PlanLoadRequest): Verdict | undefined {
  if (request.failedOf !== undefined) {
    return { verdict: 'forced', reason: `failed in batch ${request.failedOf}` };
  }
  if (request.force === true) return { verdict: 'forced', reason: 'asked for with --force' };
  return undefined;
}

async function detect(
  { pipeline, source, destination }: PlanDependencies,
  candidates: readonly Candidate[],
): Promise<ReadonlyMap<string, Verdict>> {
  const tokens = await source.readTokens(candidates.map(tokenRequest));
  const decideOne = (candidate: Candidate): Verdict => {
    const { table, settings, state } = candidate;
    const token = tokens.get(table.id);
    if (token === undefined) return { verdict: 'unknown', reason: 'the source gave no token' };
    const verdict = decide({
      ...previousOf(state),
      current: { ...token, settings: settingsFingerprint(pipeline, settings, destination) },
      strategy: settings.detection.strategy,
      maxSkipAgeMs: settings.detection.maxSkipAgeMs,
    });
    const adopted = adoptedAt(candidate);
    return verdict.verdict !== 'unchanged' || adopted === undefined
      ? verdict
      : { ...verdict, reason: `unchanged since the import of ${adopted}: ${verdict.reason}` };
  };
  return new Map(
    candidates.map((candidate) => [candidate.table.id, decideOne(candidate)] as const),
  );
}

/**
 * That the source did not change proves nothing about a lake that was moved, restored or deleted:
 * a table is skipped only where its present state is still there. What the system before loaded is
 * where that system put it, and was looked for when it was adopted.
 */
async function unlessMissing<Decided extends Candidate & { readonly decision: Verdict }>(
  { pipeline, source, destination }: PlanDependencies,
  decided: readonly Decided[],
): Promise<readonly Decided[]> {
  if (!decided.some(({ decision }) => decision.verdict === 'unchanged')) return decided;
  const published = await destination.publishedEntities(pipeline.domain);
  return decided.map((one) =>
    one.decision.verdict !== 'unchanged' ||
    adoptedAt(one) !== undefined ||
    published.has(entityName(one.table, source.dialect))
      ? one
      : {
          ...one,
          decision: { verdict: 'unknown', reason: 'the lake has no state of it any more' },
        },
  );
}

/** When the table's last load was adopted from the system before; undefined for one of Comporta's own. */
function adoptedAt({ state }: Candidate): string | undefined {
  const success = state?.lastSuccess;
  return success !== undefined && isAdopted(success) ? success.recordedAt : undefined;
}

/** What to ask the source about one table; the load asks the same question again before it reads. */
export function tokenRequest({ table, settings, state }: Candidate): TokenRequest {
  return {
    table,
    strategy: settings.detection.strategy,
    settleMarginMs: settings.detection.settleMarginMs,
    ...(settings.cursor === undefined ? {} : { cursor: settings.cursor }),
    ...(settings.where === undefined ? {} : { where: settings.where }),
    ...previousOf(state),
  };
}

function previousOf(state: TableState | undefined): { previous?: TableToken } {
  const token = state?.lastSuccess?.token;
  return token === undefined ? {} : { previous: token };
}

function longestFirst(a: Candidate, b: Candidate): number {
  return expectedWork(b) - expectedWork(a);
}

/** Milliseconds of the last load, or a guess from the server's estimate for a table never loaded. */
function expectedWork({ table, state }: Candidate): number {
  const GUESSED_ROWS_PER_MS = 100;
  return state?.lastSuccess?.durationMs ?? (table.approximateRows ?? 0) / GUESSED_ROWS_PER_MS;
}

function loadOptions(settings: TableSettings): PlannedLoad['load'] {
  return {
    taskQueue: engineTaskQueue(settings.engine),
    timeoutMs: settings.timeoutMs,
    maximumAttempts: settings.maximumAttempts,
  };
}

function warnings(
  pipeline: Pipeline,
  all: readonly SourceTable[],
  selected: readonly SourceTable[],
  states: ReadonlyMap<string, TableState>,
): string[] {
  const present = new Set(selected.map((table) => table.id));
  const vanished = [...states.values()].filter(
    (state) => state.lastSuccess !== undefined && !present.has(state.table),
  );
  return [
    ...unmatchedOverrides(pipeline, all).map(
      ({ place, pattern }) => `${place}: "${pattern}" matches no table`,
    ),
    ...vanished.map(
      ({ table }) =>
        `${table} was loaded before and is no longer in the source or the selection; its last state stays in the lake`,
    ),
    ...(selected.length === 0 ? ['the pipeline selects no table of the source'] : []),
  ];
}
