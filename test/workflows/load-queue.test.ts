import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { PlannedLoad } from '../../src/workflows/api';
import { isUntouched, LoadQueue } from '../../src/workflows/load-queue';

const load = (table: string): PlannedLoad => ({
  table,
  decision: { verdict: 'changed', reason: 'test' },
  load: { taskQueue: 'q', timeoutMs: 1, maximumAttempts: 1 },
});
const loads = (...tables: string[]) => tables.map(load);

function drained(queue: LoadQueue): string[] {
  const tables: string[] = [];
  for (let next = queue.take(); next !== undefined; next = queue.take()) tables.push(next.table);
  return tables;
}

describe('the queue of a batch', () => {
  it('gives the loads in the order of the plan', () => {
    const queue = new LoadQueue(loads('a', 'b', 'c'), false);
    assert.deepEqual(drained(queue), ['a', 'b', 'c']);
    assert.ok(isUntouched(queue.state));
  });

  it('carries what an operator did to the next page', () => {
    const first = new LoadQueue(loads('a', 'b'), true);
    first.pause('b');
    first.skip('d', 'left out by an operator');
    first.pause('c');
    assert.equal(first.objection('z'), undefined, 'it may be on a later page');
    assert.deepEqual(drained(first), ['a']);
    first.noteFailure(load('a'));
    const state = JSON.parse(JSON.stringify(first.state)) as typeof first.state;
    assert.ok(!isUntouched(state));

    const second = new LoadQueue(loads('c', 'd', 'e'), false, state);
    assert.deepEqual(second.pausedTables, ['b', 'c']);
    assert.deepEqual(
      second.leftOut.map(({ table, reason }) => [table, reason]),
      [['d', 'left out by an operator']],
    );
    assert.deepEqual(drained(second), ['e']);
    assert.deepEqual(second.retryFailed(), ['a']);
    second.resume('b');
    assert.deepEqual(drained(second), ['a', 'b']);
    second.leaveOutPaused();
    assert.deepEqual(
      second.leftOut.map(({ table }) => table),
      ['d', 'c'],
    );
  });

  it('gives every load once or leaves it out, whatever is done to it', () => {
    const gesture = fc.tuple(
      fc.constantFrom('take', 'skip', 'pause', 'resume'),
      fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    );
    fc.assert(
      fc.property(fc.array(gesture, { maxLength: 30 }), (gestures) => {
        const queue = new LoadQueue(loads('a', 'b', 'c', 'd', 'e'), false);
        const taken: string[] = [];
        for (const [what, table] of gestures) {
          if (what === 'take') taken.push(...[queue.take()].flatMap((each) => each?.table ?? []));
          else if (what === 'resume') queue.resume(table);
          else if (queue.objection(table) !== undefined) continue;
          else if (what === 'skip') queue.skip(table, 'test');
          else queue.pause(table);
        }
        taken.push(...drained(queue));
        queue.leaveOutPaused();
        const all = [...taken, ...queue.leftOut.map(({ table }) => table)];
        assert.deepEqual(all.sort(), ['a', 'b', 'c', 'd', 'e']);
        assert.equal(queue.hasNext, false);
      }),
      { seed: 45 },
    );
  });
});
