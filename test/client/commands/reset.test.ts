import assert from 'node:assert/strict';
import { createMemoryHistory } from '../../support/memory-history';
import { failed, succeeded, withBench } from '../command-bench';

describe('reset', () => {
  it('forgets the last load and says what comes next', async () => {
    const history = createMemoryHistory();
    await history.append([succeeded('orders'), succeeded('customers')]);
    await withBench({ history }, async ({ run }) => {
      assert.deepEqual(await run('reset', 'sales', 'orders'), {
        code: 0,
        stderr: '',
        stdout:
          'orders: forgot the load of 2026-11-20 03:00:02 UTC with 1,234 rows; the next plan loads it, and the lake keeps its present state until then\n',
      });
      const states = await history.states('sales');
      assert.equal(states.get('orders')?.lastSuccess, undefined);
      assert.equal(states.get('orders')?.last?.kind, 'RESET');
      assert.notEqual(states.get('customers')?.lastSuccess, undefined);
    });
  });

  it('works again after another load', async () => {
    const history = createMemoryHistory();
    await history.append([succeeded('orders')]);
    await withBench({ history }, async ({ run }) => {
      await run('reset', 'sales', 'orders');
      await history.append([succeeded('orders', { batch: 'b3' })]);
      await run('reset', 'sales', 'orders');
      assert.equal((await history.states('sales')).get('orders')?.lastSuccess, undefined);
    });
  });

  it('--all takes every table that was ever loaded', async () => {
    const history = createMemoryHistory();
    await history.append([succeeded('orders'), succeeded('customers'), failed('visits')]);
    await withBench({ history }, async ({ run }) => {
      const { stdout } = await run('reset', 'sales', '--all', '--json');
      const { reset } = JSON.parse(stdout) as { reset: { table: string }[] };
      assert.deepEqual(reset.map(({ table }) => table).sort(), ['customers', 'orders']);
      const again = await run('reset', 'sales', '--all');
      assert.equal(again.stdout, 'sales: nothing was loaded yet, so there is nothing to forget\n');
    });
  });

  it('says that a table which only failed has no load to forget', async () => {
    const history = createMemoryHistory();
    await history.append([failed('orders')]);
    await withBench({ history }, async ({ run }) => {
      const { code, stdout } = await run('reset', 'sales', 'orders');
      assert.equal(code, 0);
      assert.match(stdout, /^orders: had no load to forget/);
    });
  });

  const mistakes: [string, string[], RegExp][] = [
    ['neither tables nor --all', ['sales'], /either tables or --all/],
    ['tables and --all', ['sales', 'orders', '--all'], /either tables or --all/],
    ['a table without history', ['sales', 'order'], /no table "order" — did you mean "orders"/],
  ];
  for (const [name, commandLine, message] of mistakes) {
    it(`refuses ${name}, and forgets nothing`, async () => {
      const history = createMemoryHistory();
      await history.append([succeeded('orders')]);
      await withBench({ history }, async ({ run }) => {
        const { code, stderr } = await run('reset', ...commandLine);
        assert.equal(code, 2);
        assert.match(stderr, message);
        assert.equal((await history.events({ pipeline: 'sales' })).length, 1);
      });
    });
  }
});
