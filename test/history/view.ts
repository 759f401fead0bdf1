import type { History } from '../../src/history/history';
import { event, HOSTILE_NAMES } from './events';

const PIPELINES = ['finance', 'sales', 'sales ', 'sales"2'];

/** Tables in every state, the same names in several pipelines. */
export const VIEW_EVENTS = PIPELINES.flatMap((pipeline, index) =>
  HOSTILE_NAMES.slice(index).flatMap((table, row) => [
    event('SUCCEEDED', table, 'b1', { pipeline }),
    ...(row % 3 === 0 ? [event('RESET', table, 'r1', { pipeline })] : []),
    ...(row % 4 === 0 ? [event('SUCCEEDED', table, 'b2', { pipeline })] : []),
    ...(row % 2 === 0 ? [event('FAILED', table, 'b3', { pipeline, errorCode: 'X' })] : []),
  ]),
);

export const VIEW_QUERY = `SELECT pipeline, table_name, last_id, last_error_code, success_id
  FROM historico_execucao_atual ORDER BY pipeline, table_name`;

/** What VIEW_QUERY has to say, by the word of states(). */
export async function viewOfStates(history: History): Promise<unknown[][]> {
  const rows: unknown[][] = [];
  for (const pipeline of PIPELINES) {
    const states = [...(await history.states(pipeline)).values()];
    states.sort((a, b) => Buffer.compare(Buffer.from(a.table), Buffer.from(b.table)));
    for (const { table, last, lastSuccess } of states) {
      const [error, success] = [last?.errorCode ?? null, lastSuccess?.id ?? null];
      rows.push([pipeline, table, last?.id, error, success]);
    }
  }
  return rows;
}
