import assert from 'node:assert/strict';
import { statementsFor } from '../../src/history/bigquery/statements';
import { EVENT_COLUMNS } from '../../src/history/event-row';

describe('the statements of a history in BigQuery', () => {
  it('read for brief states the few columns that they have, which are what is charged', () => {
    const { briefStates } = statementsFor((table) => `\`${table}\``);
    const read = EVENT_COLUMNS.map(({ column }) => column).filter((column) =>
      new RegExp(`\\b${column}\\b`).test(briefStates),
    );
    const brief = ['kind', 'recorded_at', 'table_name', 'verdict', 'started_at'];
    assert.deepEqual(read.toSorted(), ['id', 'pipeline', ...brief].toSorted());
    // The outer `*` of a window is over columns that are named inside.
    assert.match(briefStates, /FROM \(SELECT sequence, id, [a-z_, ]+ FROM `/);
  });
});
