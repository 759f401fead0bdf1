import type { HistoryEvent } from '../../src/history/history';
import { documentText, sqlExamples } from '../support/documented';
import { event, FULL_EVENT } from './events';

const DOCUMENT = documentText('history.md');

/** The SQL examples of docs/history.md that are marked for this store or purpose. */
export function documentedSql(mark: string): string[] {
  return sqlExamples(DOCUMENT, mark);
}

/** The columns that docs/history.md lists for the table, in their order. */
export function documentedColumns(): string[] {
  const [, section = ''] = /^## The table .*\n([^]*?)^## /m.exec(DOCUMENT) ?? [];
  return [...section.matchAll(/^\| `(\w+)`/gm)].map(([, column]) => column ?? '');
}

/** The columns that docs/history.md lists for the view. */
export function documentedViewColumns(): string[] {
  const [, section = ''] = /^## The view .*\n([^]*?)^## /m.exec(DOCUMENT) ?? [];
  const cells = [...section.matchAll(/^\| (`[^|]*)\|/gm)].map(([, cell]) => cell ?? '');
  return [...cells.join().matchAll(/`(\w+)`/g)].map(([, column]) => column ?? '');
}

const LONG_AGO = { recordedAt: '2020-01-01T00:00:00.000Z' };
const JUST_NOW = { recordedAt: new Date().toISOString() };

/** Old and new events of tables in every state: what pruning must know apart. */
export const LONG_HISTORY: readonly HistoryEvent[] = [
  ...['a', 'b', 'c', 'd'].flatMap((table) => [
    event('STARTED', table, 'b1', LONG_AGO),
    event('SUCCEEDED', table, 'b1', LONG_AGO),
    event('SKIPPED', table, 'b2', LONG_AGO),
  ]),
  event('SUCCEEDED', 'b', 'b3', LONG_AGO),
  event('SUCCEEDED', 'c', 'b3', JUST_NOW),
  event('RESET', 'd', 'r1', LONG_AGO),
  event('FAILED', 'd', 'b3', { ...LONG_AGO, errorCode: 'TableNotFound' }),
  event('FAILED', 'e', 'b4', JUST_NOW),
  FULL_EVENT,
];

/** Those of them that pruning lets go. */
export const PRUNED: readonly string[] = [
  'STARTED/sales/a/b1',
  'STARTED/sales/b/b1',
  'SUCCEEDED/sales/b/b1',
  'SKIPPED/sales/b/b2',
  'STARTED/sales/c/b1',
  'SUCCEEDED/sales/c/b1',
  'SKIPPED/sales/c/b2',
  'STARTED/sales/d/b1',
  'SUCCEEDED/sales/d/b1',
  'SKIPPED/sales/d/b2',
];

/** How many rows each example that is a question answers with about LONG_HISTORY and one lease. */
export const ANSWERS: readonly number[] = [1, 5, 1, 1, 5, 2, 1];
