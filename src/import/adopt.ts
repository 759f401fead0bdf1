import type { TableToken } from '../detection/detection';
import type { TableState } from '../history/history';
import type { TableSettings } from '../pipeline/pipeline';
import type { ChangeTimes } from '../sources/source';
import type { OldExecution } from './old-history';

/** All that bears on whether a table's last load by the old system can stand for one by Comporta. */
export interface AdoptionFacts {
  readonly settings: TableSettings;
  readonly state: TableState | undefined;
  /** Undefined: the old history does not know the table. */
  readonly execution: OldExecution | undefined;
  /** Read before everything else. */
  readonly token: TableToken | undefined;
  readonly changes: ChangeTimes;
  readonly table: string;
  /** How much later than the last change the old reading must have begun. */
  readonly marginMs: number;
  /** Somebody vouches that no table was put in another's place since. */
  readonly noRenames: boolean;
}

/** Why not; undefined: nothing speaks against it but what the counts will say. */
export function objection(facts: AdoptionFacts): string | undefined {
  return (
    ofHistories(facts) ?? ofSettings(facts.settings) ?? ofSource(facts) ?? ofToken(facts.token)
  );
}

/** What the counts say, of the source now, of the old execution, and of what its destination holds. */
export function objectionOfCounts(counts: {
  readonly source: number;
  readonly execution: number | undefined;
  readonly destination: number;
}): string | undefined {
  const { source, execution, destination } = counts;
  if (execution === undefined) return 'its qtd_linhas is no number';
  if (source !== execution) return `it has ${source} rows, and its last execution had ${execution}`;
  if (destination !== source) return `it has ${source} rows, and the destination ${destination}`;
  return undefined;
}

function ofHistories({ state, execution }: AdoptionFacts): string | undefined {
  if (state?.last !== undefined) return 'Comporta has a history of it already';
  if (execution === undefined) return 'the old history does not know it';
  if (!execution.succeeded) return `its last execution was no success (${execution.status})`;
  return undefined;
}

function ofSettings(settings: TableSettings): string | undefined {
  const { mode, where, excludeColumns, textColumns, masks } = settings;
  if (mode !== 'full') return `mode ${mode} goes on from a value that the old system did not keep`;
  if (
    where !== undefined ||
    [excludeColumns, textColumns, Object.keys(masks)].some((list) => list.length > 0)
  ) {
    return 'its settings shape what is loaded, and the old system knew none';
  }
  return undefined;
}

function ofSource(facts: AdoptionFacts): string | undefined {
  const { changes, table, marginMs, noRenames, execution, token } = facts;
  const change = changes.tables.get(table) ?? { unknown: 'the source does not show it' };
  if ('unknown' in change) return change.unknown;
  if (execution === undefined) return undefined;
  const { begun } = execution;
  if (typeof begun !== 'number') return begun.unknown;
  if (change.at + marginMs >= begun) {
    const at = new Date(change.at).toISOString();
    return `it changed at ${at}, which is not ${marginMs / 1000} s before its last execution began (${new Date(begun).toISOString()})`;
  }
  if (begun > Date.parse(token?.sourceTime ?? '')) {
    return `its last execution (${execution.recorded}) lies in the future: is the time zone right?`;
  }
  if (noRenames || changes.replacements === 0) return undefined;
  return changes.replacements === undefined
    ? 'the server does not count since its start how often a table was renamed: look yourself, and say --no-renames'
    : `${changes.replacements} statements since the server's start may have put another table in its place: look yourself, and say --no-renames`;
}

function ofToken(token: TableToken | undefined): string | undefined {
  const evidence = token?.evidence ?? [];
  if (evidence.some(({ distrust }) => distrust === undefined)) return undefined;
  const doubts = [...new Set(evidence.map(({ distrust }) => distrust))];
  return doubts.join('; ') || 'the source gave no evidence of its state';
}
