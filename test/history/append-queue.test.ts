import assert from 'node:assert/strict';
import { appendQueue, runsOfBytes } from '../../src/history/bigquery/append-queue';

describe('the queue of appends', () => {
  it('writes together what is asked for during a write, in order', async () => {
    const written: (readonly number[])[] = [];
    const ends: (() => void)[] = [];
    const append = appendQueue<number>((items) => {
      written.push(items);
      return new Promise((resolve) => ends.push(resolve));
    });
    const done: string[] = [];
    const first = append([1]).then(() => done.push('first'));
    const second = append([2, 3]).then(() => done.push('second'));
    const third = append([4]).then(() => done.push('third'));
    assert.deepEqual(written, [[1]]);
    ends[0]?.();
    await first;
    assert.deepEqual(written, [[1], [2, 3, 4]]);
    assert.deepEqual(done, ['first']);
    ends[1]?.();
    await Promise.all([second, third]);
    assert.deepEqual(done, ['first', 'second', 'third']);
    const fourth = append([5]);
    ends[2]?.();
    await fourth;
    assert.deepEqual(written.at(-1), [5]);
  });

  it('tells each of a failure, and goes on', async () => {
    let fails = true;
    const append = appendQueue<number>(() =>
      fails ? Promise.reject(new Error('down')) : Promise.resolve(),
    );
    const outcomes = await Promise.allSettled([append([1]), append([2]), append([3])]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['rejected', 'rejected', 'rejected'],
    );
    fails = false;
    await append([4]);
  });
});

describe('runs of texts', () => {
  it('have no more bytes than they may', () => {
    assert.deepEqual(runsOfBytes(['aa', 'é', 'b', 'cccccc', 'd'], 4), [
      ['aa', 'é'],
      ['b'],
      ['cccccc'],
      ['d'],
    ]);
    assert.deepEqual(runsOfBytes([], 4), []);
  });
});
