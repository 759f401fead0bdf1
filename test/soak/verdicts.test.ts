import assert from 'node:assert/strict';
import type { HistoryEvent } from '../../src/history/history';
import type { Plan } from '../../src/plan/plan';
import type { Change } from './changes';
import { judge, type Batch, type Records } from './verdicts';

/** Milliseconds into an hour of which every moment here is one. */
const at = (seconds: number) => Date.parse('2026-03-01T00:00:00Z') + seconds * 1_000;
const time = (seconds: number) => new Date(at(seconds)).toISOString();

/** A batch of `shop` that looks at one table from second `from` on. */
function batch(name: string, from: number, what: 'loads' | 'skips', pipeline = 'shop'): Batch {
  const decision = { verdict: 'unchanged', reason: 'as the test says' } as const;
  const entry = { table: 't', decision, load: {}, mode: 'full' } as const;
  const plan = { loads: [], skips: [], [what]: [entry] } as unknown as Plan;
  return { pipeline, batch: name, from: at(from), to: at(from + 10), plan };
}

function event(
  kind: HistoryEvent['kind'],
  name: string,
  seconds: number,
  pipeline = 'shop',
): HistoryEvent {
  return {
    ...{ id: `${kind} ${name}`, kind, pipeline, table: 't', batch: name, run: `run of ${name}` },
    recordedAt: time(seconds),
    endedAt: time(seconds),
    token: { sourceTime: time(seconds - 1), evidence: [], settings: '' },
  };
}

function change(from: number, to: number, effect: Change['effect'], pipeline = 'shop'): Change {
  const when = { from: at(from), to: at(to) };
  return { pipeline, table: 't', kind: 'update', effect, isDefinition: false, ...when };
}

/** Loaded in `one` at second 5; what `two` did at 100 is in question. */
function verdicts(
  two: 'loads' | 'skips',
  changes: readonly Change[],
  more: Partial<Records> = {},
  pipeline = 'shop',
) {
  return judge({
    batches: [batch('one', 0, 'loads', pipeline), batch('two', 100, two, pipeline)],
    events: [event('SUCCEEDED', 'one', 5, pipeline)],
    changes,
    faults: [],
    ...more,
  });
}

describe('the verdicts of the soak', () => {
  it('miss nothing that was committed between load and batch', () => {
    const { missed } = verdicts('skips', [change(50, 51, 'changed')]);
    assert.equal(missed.length, 1);
    assert.match(
      missed[0] ?? '',
      /^shop two skipped t \(as the test says\) after: update \(changed\)/,
    );
  });

  it('ask for no notice of what cannot be seen yet, of what did nothing, or of another table', () => {
    const other = { ...change(50, 51, 'changed'), table: 'u' };
    const changes = [
      ...[change(99, 101, 'changed'), change(50, 51, 'perhaps'), change(50, 51, 'nothing'), other],
      ...[change(2, 3, 'changed'), change(3, 6, 'changed')],
    ];
    assert.deepEqual(verdicts('skips', changes).missed, []);
  });

  it('give PostgreSQL the seconds for which a session may keep its counts', () => {
    const late = verdicts('skips', [change(92, 93, 'changed', 'books')], {}, 'books');
    assert.deepEqual(late.missed, []);
    const early = verdicts('skips', [change(80, 81, 'changed', 'books')], {}, 'books');
    assert.equal(early.missed.length, 1);
  });

  it('ask every load but the first for a reason', () => {
    assert.deepEqual(verdicts('loads', []).unexplained, ['shop two loaded t: as the test says']);
    assert.equal(verdicts('loads', [change(50, 51, 'nothing')]).unexplained.length, 1);
    assert.equal(verdicts('loads', [change(-20, -19, 'changed')]).unexplained.length, 1);
    assert.equal(verdicts('loads', [change(120, 121, 'changed')]).unexplained.length, 1);
  });

  it('take a change, one that may have been, and one just before the last load for a reason', () => {
    for (const effect of ['changed', 'perhaps'] as const) {
      assert.deepEqual(verdicts('loads', [change(50, 51, effect)]).unexplained, []);
    }
    assert.deepEqual(verdicts('loads', [change(2, 3, 'changed')]).unexplained, []);
  });

  it('take what changed in an open transaction, or a restart, for a reason', () => {
    const open = { ...change(-40, 60, 'perhaps'), table: 'u' };
    const early = change(-30, -29, 'changed');
    assert.deepEqual(verdicts('loads', [open, early]).unexplained, []);
    const fault = { kind: 'restart a database', from: at(50), to: at(52) };
    const restart = (forgetful: string) =>
      verdicts('loads', [], { faults: [{ ...fault, forgetful }] });
    assert.deepEqual(restart('shop').unexplained, []);
    assert.equal(restart('books').unexplained.length, 1);
  });

  it('take a changed definition for a reason where nothing else vouches for the table', () => {
    const definition = { ...change(50, 51, 'changed'), table: 'u', isDefinition: true };
    const restart = { kind: 'restart a database', forgetful: 'shop', from: at(-9), to: at(-8) };
    const faults = [restart];
    assert.deepEqual(verdicts('loads', [definition], { faults }).unexplained, []);
    assert.equal(verdicts('loads', [definition]).unexplained.length, 1);
    assert.equal(verdicts('loads', [], { faults }).unexplained.length, 1);
    const since = change(-7, -6, 'changed');
    assert.equal(verdicts('loads', [definition, since], { faults }).unexplained.length, 1);
    const early = { ...definition, from: at(-20), to: at(-19) };
    assert.equal(verdicts('loads', [early], { faults }).unexplained.length, 1);
  });

  it('want a fault or a change behind a failure', () => {
    const events = [event('SUCCEEDED', 'one', 5), event('FAILED', 'two', 105)];
    assert.equal(verdicts('loads', [], { events }).unexplainedFailures.length, 1);
    const fault = { kind: 'kill the queries', from: at(80), to: at(81) };
    assert.deepEqual(verdicts('loads', [], { events, faults: [fault] }).unexplainedFailures, []);
    const during = change(104, 105, 'changed');
    assert.deepEqual(verdicts('loads', [during], { events }).unexplainedFailures, []);
    const longAgo = { ...fault, from: at(20), to: at(21) };
    assert.equal(
      verdicts('loads', [], { events, faults: [longAgo] }).unexplainedFailures.length,
      1,
    );
  });

  it('want one end of each run, and one success of a table in a batch', () => {
    const once = event('SUCCEEDED', 'one', 5);
    const both = verdicts('skips', [], { events: [once, event('FAILED', 'one', 6)] });
    assert.deepEqual(both.contradictions, [
      'shop t run of one has the ends ["SUCCEEDED","FAILED"]',
    ]);
    const none = verdicts('skips', [], { events: [event('STARTED', 'one', 5)] });
    assert.deepEqual(none.contradictions, ['shop t run of one has the ends []']);
    const twice = verdicts('skips', [], { events: [once, { ...once, run: 'another' }] });
    assert.deepEqual(twice.contradictions, ['shop t one was loaded 2 times']);
  });
});
