import assert from 'node:assert/strict';
import { sharedCommits } from '../../src/history/sqlite/shared-commits';

/** Runs the works of each commit at once and remembers how many there were. */
function counted() {
  const sizes: number[] = [];
  const transaction = sharedCommits((works) => {
    sizes.push(works.length);
    return Promise.resolve().then(() => works.map((work) => work()));
  });
  return { sizes, transaction };
}

function failing(reason: string): () => never {
  return () => {
    throw new Error(reason);
  };
}

describe('shared commits', () => {
  it('hold what is asked for in one moment, in its order', async () => {
    const { sizes, transaction } = counted();
    const order: string[] = [];
    const work = (name: string) => () => {
      order.push(name);
      return name.toUpperCase();
    };
    const results = await Promise.all(['a', 'b', 'c'].map((name) => transaction(work(name))));
    assert.deepEqual(results, ['A', 'B', 'C']);
    assert.deepEqual(order, ['a', 'b', 'c']);
    assert.equal(await transaction(work('d')), 'D');
    assert.deepEqual(sizes, [3, 1]);
  });

  it('fail for nobody but the one whose work fails', async () => {
    const { sizes, transaction } = counted();
    const outcomes = await Promise.allSettled([
      transaction(() => 1),
      transaction(failing('second')),
      transaction(() => 3),
      transaction(failing('fourth')),
    ]);
    assert.deepEqual(outcomes, [
      { status: 'fulfilled', value: 1 },
      { status: 'rejected', reason: new Error('second') },
      { status: 'fulfilled', value: 3 },
      { status: 'rejected', reason: new Error('fourth') },
    ]);
    assert.deepEqual(sizes, [4, 1, 1, 1, 1]);
  });
});
