import type { HistoryEvent } from '../history/history';
import type { BatchSummary } from '../workflows/api';
import type { Plan } from './plan';

const FAILURES_NAMED = 50;

/**
 * What became of a batch, by the history and not by what a controller happened to see: a table
 * that failed, was reset by an operator and loaded since counts as loaded.
 */
export function summarize(
  plan: Plan,
  path: string,
  outcomes: ReadonlyMap<string, HistoryEvent>,
): BatchSummary {
  const ends = plan.loads.map(({ table }) => ({ table, outcome: outcomes.get(table) }));
  const loaded = ends.flatMap(({ outcome }) => (outcome?.kind === 'SUCCEEDED' ? [outcome] : []));
  // Skipped although it was to be loaded: an operator wanted it so.
  const leftOut = ends.filter(({ outcome }) => outcome?.kind === 'SKIPPED');
  const failed = ends.filter(
    ({ outcome }) => outcome?.kind !== 'SUCCEEDED' && outcome?.kind !== 'SKIPPED',
  );
  return {
    pipeline: plan.pipeline,
    batch: plan.batch,
    plan: path,
    considered: plan.loads.length + plan.skips.length,
    loaded: loaded.length,
    failed: failed.length,
    skipped: plan.skips.length + leftOut.length,
    rows: loaded.reduce((sum, { rowsRead }) => sum + (rowsRead ?? 0), 0),
    bytes: loaded.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0),
    failures: failed
      .slice(0, FAILURES_NAMED)
      .map(({ table, outcome }) => ({ table, error: causeOf(outcome) })),
  };
}

function causeOf(outcome: HistoryEvent | undefined): string {
  if (outcome === undefined) return 'did not run: its workflow never started the load';
  return (
    outcome.error ??
    'began and did not end: another execution loads it still, or its workflow was terminated or timed out'
  );
}
