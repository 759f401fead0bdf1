import assert from 'node:assert/strict';
import { sharedReading } from '../../../../src/sources/mysql/tokens/transactions';

/** A reading whose end the test decides. */
function controlled() {
  const started: ((answer: string) => void)[] = [];
  const failed: ((error: Error) => void)[] = [];
  const read = () =>
    new Promise<string>((resolve, reject) => {
      started.push(resolve);
      failed.push(reject);
    });
  return { read, started, failed };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('shared readings', () => {
  it('begin after the call that they answer, and one at a time', async () => {
    const { read, started } = controlled();
    const ask = sharedReading(read);
    const first = ask();
    await turn();
    // The first reading is under way: it may have missed what these callers want to see.
    const second = ask();
    const third = ask();
    await turn();
    assert.equal(started.length, 1);
    started[0]!('early');
    assert.equal(await first, 'early');
    await turn();
    assert.equal(started.length, 2);
    started[1]!('late');
    assert.deepEqual(await Promise.all([second, third]), ['late', 'late']);
  });

  it('fail for those who waited for them and for nobody else', async () => {
    const { read, started, failed } = controlled();
    const ask = sharedReading(read);
    const first = ask();
    await turn();
    const second = ask();
    failed[0]!(new Error('broken'));
    await assert.rejects(first, /broken/);
    await turn();
    started[1]!('fine');
    assert.equal(await second, 'fine');
  });
});
