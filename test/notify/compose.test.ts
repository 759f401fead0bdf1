import assert from 'node:assert/strict';
import type { TableState } from '../../src/history/history';
import { compose, type Told } from '../../src/notify/compose';
import { event, failed, news, NOW } from './news';

const loadedAt = (table: string, time: string): TableState => {
  const lastSuccess = event('SUCCEEDED', table, { recordedAt: time, startedAt: time });
  return { table, lastSuccess, last: lastSuccess };
};

const told = (some: Partial<Told>): Told => ({ failing: {}, stale: {}, ...some });

describe('what people are told of a batch', () => {
  it('is nothing when all went well', () => {
    const { notice, told: next } = compose(news([event('SUCCEEDED', 'orders')]));
    assert.equal(notice, undefined);
    assert.deepEqual(next, told({}));
  });

  it('groups failures by cause, the largest group first', () => {
    const { notice, told: next } = compose(
      news([
        failed('a', 'SourceRejected', 'a: no such column'),
        failed('c', 'ConnectionFailed', 'cut'),
        failed('b', 'ConnectionFailed', 'cut'),
        event('SUCCEEDED', 'd'),
      ]),
    );
    assert.deepEqual(notice?.failures, [
      {
        code: 'ConnectionFailed',
        tables: [
          { table: 'b', error: 'cut' },
          { table: 'c', error: 'cut' },
        ],
      },
      { code: 'SourceRejected', tables: [{ table: 'a', error: 'a: no such column' }] },
    ]);
    assert.deepEqual(Object.keys(next.failing).sort(), ['a', 'b', 'c']);
  });

  it('names a planned table whose load never ended', () => {
    const batch = news([]);
    const failures = [{ table: 'orders', error: 'did not run' }];
    const { notice } = compose({ ...batch, summary: { ...batch.summary, failed: 1, failures } });
    assert.deepEqual(notice?.failures, [{ code: 'NotEnded', tables: failures }]);
  });

  it('says once that a table is well again, and only one that was told of', () => {
    const before = told({ failing: { orders: '2026-01-09T03:30:00.000Z' } });
    const states = [
      loadedAt('orders', '2026-01-09T08:00:00.000Z'),
      loadedAt('items', '2026-01-09T08:00:00.000Z'),
    ];
    const { notice, told: next } = compose(news([], { told: before, knownStates: states }));
    assert.deepEqual(notice?.recovered, ['orders']);
    assert.deepEqual(next, told({}));
    assert.equal(compose(news([], { told: next, knownStates: states })).notice, undefined);
  });

  it('keeps since when a table fails, and does not call it well for an old load', () => {
    const since = '2026-01-08T03:30:00.000Z';
    const states = [loadedAt('orders', '2026-01-07T03:00:00.000Z')];
    const before = told({ failing: { orders: since } });
    const again = compose(
      news([failed('orders', 'ConnectionFailed', 'cut')], { told: before, knownStates: states }),
    );
    assert.equal(again.notice?.failures.length, 1, 'told again: it failed in this batch');
    assert.deepEqual(again.told.failing, { orders: since });
    // Not part of the next batch, for instance one of other tables only.
    const other = compose(news([], { told: before, knownStates: states }));
    assert.equal(other.notice, undefined);
    assert.deepEqual(other.told.failing, { orders: since });
  });

  describe('of stale tables', () => {
    const day = 24 * 3_600_000;
    const states = [
      loadedAt('old', new Date(NOW.getTime() - 2 * day).toISOString()),
      loadedAt('fresh', NOW.toISOString()),
    ];
    const planned = ['old', 'fresh', 'never'];

    it('is each once', () => {
      const batch = news([], { knownStates: states, planned, freshnessMs: day });
      const { notice, told: next } = compose(batch);
      assert.deepEqual(notice?.stale, [
        { table: 'old', verifiedAt: new Date(NOW.getTime() - 2 * day).toISOString() },
        { table: 'never' },
      ]);
      assert.equal(compose({ ...batch, told: next }).notice, undefined);
      const { notice: later } = compose({
        ...batch,
        told: next,
        states: new Map(planned.map((table) => [table, loadedAt(table, NOW.toISOString())])),
      });
      assert.deepEqual(later?.recovered, ['never', 'old']);
    });

    it('is nothing without a limit', () => {
      assert.equal(compose(news([], { knownStates: states, planned })).notice, undefined);
    });

    it('is not said twice of a table whose failure is told', () => {
      const batch = news([failed('old', 'ConnectionFailed', 'cut')], {
        knownStates: states,
        planned: ['old'],
        freshnessMs: day,
      });
      const { notice } = compose(batch);
      assert.deepEqual(notice?.stale, []);
      assert.equal(notice?.failures.length, 1);
    });
  });
});
