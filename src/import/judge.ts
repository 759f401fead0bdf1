import type { Destination } from '../destinations/destination';
import { eventId, type History, type HistoryEvent } from '../history/history';
import type { Pipeline } from '../pipeline/pipeline';
import { selectTables, settingsFor } from '../pipeline/settings';
import { tokenRequest } from '../plan/make-plan';
import { settingsFingerprint } from '../plan/settings-fingerprint';
import type { Source, SourceTable } from '../sources/source';
import { objection, objectionOfCounts } from './adopt';
import type { HeldTables } from './held-tables';
import { matchTable } from './match';
import type { OldExecution } from './old-history';

/** How much later than a table's last change its old load must have begun, unless somebody says so. */
const MARGINS_MS = {
  // Two clocks that are set by the network are not that far apart.
  commit: 10 * 60_000,
  // The time of a change is that of its transaction's beginning: none lasts that long.
  begin: 24 * 3_600_000,
} as const;

export interface JudgeDependencies {
  readonly pipeline: Pipeline;
  readonly source: Source;
  readonly history: History;
  readonly destination: Destination;
  /** Undefined for a lake, which has files of Comporta's own only. */
  readonly held: HeldTables | undefined;
}

export interface JudgeOptions {
  /** Milliseconds. Undefined: by what the source stamps. */
  readonly marginMs: number | undefined;
  /** Somebody vouches that no table was put in another's place since. */
  readonly noRenames: boolean;
  /** Of the import. */
  readonly batch: string;
  readonly recordedAt: string;
}

/** What becomes of a table. */
export interface Judgement {
  readonly table: string;
  readonly reason: string;
  /** Undefined: it is loaded. */
  readonly adoption?: {
    readonly event: HistoryEvent;
    /** Before the event is recorded. */
    readonly takeOver: () => Promise<void>;
  };
}

/**
 * Which tables of a pipeline the old system has loaded since they changed. Tokens are read first: what
 * changes after that differs from its token, so that the next plan notices, whatever is found here.
 */
export async function judge(
  { pipeline, source, history, destination, held }: JudgeDependencies,
  old: ReadonlyMap<string, OldExecution>,
  { marginMs, noRenames, batch, recordedAt }: JudgeOptions,
): Promise<{
  readonly judgements: readonly Judgement[];
  /** Names in the old history that no table of the pipeline has. */
  readonly unknown: readonly string[];
}> {
  const tables = selectTables(pipeline, await source.listTables());
  const states = await history.states(pipeline.name);
  const requests = tables.map((table) =>
    tokenRequest({ table, settings: settingsFor(pipeline, table.id), state: undefined }),
  );
  const tokens = await source.readTokens(requests);
  const changes = await source.changeTimes(tables);
  const { executions, unknown } = byTable(old, tables);

  const judgeOne = async (table: SourceTable): Promise<Judgement> => {
    const settings = settingsFor(pipeline, table.id);
    const refused = (reason: string) => ({ table: table.id, reason });
    const [execution, another] = executions.get(table.id) ?? [];
    if (another !== undefined) return refused('the old history knows it by several names');
    const token = tokens.get(table.id);
    const doubt = objection({
      ...{ settings, execution, token, changes, noRenames, table: table.id },
      state: states.get(table.id),
      marginMs: marginMs ?? MARGINS_MS[changes.stamped],
    });
    if (doubt !== undefined || execution === undefined || token === undefined) {
      return refused(doubt ?? 'the source gave no token');
    }
    if (held === undefined) return refused('its rows are not in the lake, which has its own files');
    const present = await held.look(table, settings);
    if ('unfit' in present) return refused(present.unfit);
    const rows = await countRows(source, table);
    const wrong = objectionOfCounts({
      ...{ source: rows, execution: execution.rows, destination: present.rows },
    });
    if (wrong !== undefined) return refused(wrong);
    const reason = `unchanged since its load of ${execution.recorded}, and as many rows (${rows})`;
    const fingerprint = settingsFingerprint(pipeline, settings, destination);
    const event: HistoryEvent = {
      id: eventId({ kind: 'SUCCEEDED', pipeline: pipeline.name, table: table.id, scope: batch }),
      ...{ kind: 'SUCCEEDED', recordedAt, batch, run: '', mode: 'full' },
      ...{ pipeline: pipeline.name, table: table.id, verdict: 'unchanged', reason },
      token: { ...token, settings: fingerprint },
      ...{ rowsAtSource: rows, rowsRead: rows, rowsPublished: rows },
      ...timesOf(execution),
    };
    return {
      ...{ table: table.id, reason },
      adoption: { event, takeOver: () => held.takeOver(table) },
    };
  };
  const judgements: Judgement[] = [];
  for (const table of tables) judgements.push(await judgeOne(table));
  return { judgements, unknown };
}

function byTable(old: ReadonlyMap<string, OldExecution>, tables: readonly SourceTable[]) {
  const ids = tables.map(({ id }) => id);
  const executions = new Map<string, OldExecution[]>();
  const unknown: string[] = [];
  for (const [name, execution] of old) {
    const table = matchTable(name, ids);
    if (table === undefined) unknown.push(name);
    else executions.set(table, [...(executions.get(table) ?? []), execution]);
  }
  return { executions, unknown };
}

async function countRows(source: Source, table: SourceTable): Promise<number> {
  const snapshot = await source.openSnapshot(table, new AbortController().signal);
  try {
    return await snapshot.count({});
  } finally {
    await snapshot.close();
  }
}

/** As if the old system had noted the end: what it noted is one or the other. */
function timesOf({ begun, durationMs }: OldExecution) {
  if (typeof begun !== 'number' || durationMs === undefined) return {};
  const [startedAt, endedAt] = [begun, begun + durationMs].map((at) => new Date(at).toISOString());
  return { startedAt, endedAt, durationMs };
}
