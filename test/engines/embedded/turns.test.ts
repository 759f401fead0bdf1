import assert from 'node:assert/strict';
import { Turns } from '../../../src/engines/embedded/turns';

describe('Turns', () => {
  const never = new AbortController().signal;
  const ignore = () => undefined;

  it('are given in the order of asking, so many at a time', async () => {
    const turns = new Turns(2);
    const order: string[] = [];
    const take = async (name: string, signal = never) => {
      const end = await turns.take(signal, () => order.push(`${name} waits`));
      order.push(`${name} begins`);
      return end;
    };
    const [endA, endB] = await Promise.all([take('a'), take('b')]);
    const c = take('c');
    const d = take('d');
    endB();
    const endC = await c;
    endA();
    const endD = await d;
    assert.deepEqual(order, ['a begins', 'b begins', 'c waits', 'd waits', 'c begins', 'd begins']);
    endC();
    endD();
    await Promise.all([turns.take(never, assert.fail), turns.take(never, assert.fail)]);
  });

  it('go to the next when one that waits is cancelled', async () => {
    const turns = new Turns(1);
    const end = await turns.take(never, ignore);
    const controller = new AbortController();
    const cancelled = turns.take(controller.signal, ignore);
    const next = turns.take(never, ignore);
    const reason = new Error('cancelled by the test');
    controller.abort(reason);
    await assert.rejects(cancelled, reason);
    end();
    (await next)();
    await turns.take(never, assert.fail);
  });
});
