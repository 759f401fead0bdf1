import type { TriggerDocument } from './commands';
import type { LakeTable } from './lake';
import type { RowCounts } from './source-counts';

/** Where a load did something else than the demo promises, in words; nothing if all is well. */
export function deviations(
  document: TriggerDocument,
  expected: { readonly loaded: readonly string[]; readonly unchanged: readonly string[] },
): string[] {
  const { pipeline, outcomes } = document;
  const of = (kinds: readonly string[]) =>
    outcomes
      .filter(({ kind }) => kinds.includes(kind))
      .map(({ table }) => table)
      .sort();
  return [
    ...difference(`${pipeline}: tables that loaded`, expected.loaded, of(['SUCCEEDED'])),
    ...difference(`${pipeline}: tables proved unchanged`, expected.unchanged, of(['SKIPPED'])),
    ...outcomes
      .filter(({ kind }) => kind === 'FAILED' || kind === 'STARTED')
      .map(({ table, error }) => `${pipeline}: ${table} failed: ${error ?? 'it did not end'}`),
    ...outcomes
      .filter(({ kind, verdict }) => kind === 'SKIPPED' && verdict !== 'unchanged')
      .map(({ table, verdict }) => `${pipeline}: ${table} was skipped although ${verdict}`),
  ];
}

/** Where the lake has not the rows of the source. */
export function rowDeviations(source: RowCounts, lake: readonly LakeTable[]): string[] {
  const inLake = new Map(lake.map(({ view, rows }) => [view, rows]));
  return [
    ...[...source]
      .filter(([view, rows]) => inLake.get(view) !== rows)
      .map(
        ([view, rows]) =>
          `${view}: ${rows} rows at the source, ${inLake.get(view) ?? 'none'} in the lake`,
      ),
    ...lake
      .filter(({ view }) => !source.has(view))
      .map(({ view }) => `${view}: in the lake, but not at the source`),
  ];
}

function difference(what: string, wanted: readonly string[], found: readonly string[]): string[] {
  const sorted = [...wanted].sort();
  if (sorted.join() === found.join()) return [];
  return [`${what}: ${listed(found)} instead of ${listed(sorted)}`];
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(', ');
}
