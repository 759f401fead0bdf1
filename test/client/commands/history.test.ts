import assert from 'node:assert/strict';
import { createMemoryHistory } from '../../support/memory-history';
import { failed, succeeded, withBench } from '../command-bench';

async function filled() {
  const history = createMemoryHistory();
  await history.append([
    succeeded('orders'),
    succeeded('public.visits', { id: 'visits', schemaChanges: ['added note text'] }),
    failed('orders'),
  ]);
  return history;
}

describe('history', () => {
  it('shows where each table stands', async () => {
    await withBench({ history: await filled() }, async ({ run }) => {
      assert.deepEqual(await run('history'), {
        code: 0,
        stderr: '',
        stdout: [
          'pipeline  table          loaded (UTC)          rows     size   took  last    at (UTC)             why',
          'sales     orders         2026-11-20 03:00:02  1,234  45.6 kB  1.5 s  failed  2026-11-21 02:00:00  PermissionDenied: sales / orders: no right to read — GRANT SELECT ON orders TO loader',
          'sales     public.visits  2026-11-20 03:00:02  1,234  45.6 kB  1.5 s  loaded  2026-11-20 03:00:02  unknown: no successful load yet; columns: added note text',
          '',
        ].join('\n'),
      });
    });
  });

  it('shows only what failed', async () => {
    await withBench({ history: await filled() }, async ({ run }) => {
      const { stdout } = await run('history', 'sales', '--failed', '--json');
      const states = JSON.parse(stdout) as { table: string }[];
      assert.deepEqual(
        states.map(({ table }) => table),
        ['orders'],
      );
    });
  });

  it('shows the events of a table, newest first, also by its name alone', async () => {
    await withBench({ history: await filled() }, async ({ run }) => {
      const { stdout } = await run('history', 'sales', 'orders');
      assert.deepEqual(
        stdout.split('\n').map((line) => line.slice(0, 42).trimEnd()),
        [
          'at (UTC)             table   event   batch',
          '2026-11-21 02:00:00  orders  failed  b2',
          '2026-11-20 03:00:02  orders  loaded  b1',
          '',
        ],
      );
      const visits = await run('history', 'sales', 'visits');
      assert.match(visits.stdout, /public\.visits {2}loaded/);
      const one = await run('history', 'sales', 'orders', '--limit', '1');
      assert.equal(one.stdout.split('\n').length, 3);
    });
  });

  it('tells a load that was adopted from one that was made', async () => {
    const history = createMemoryHistory();
    const reason = 'unchanged since its load of 2026-11-20 03:00:00 UTC';
    const adopted = { run: '', verdict: 'unchanged', reason } as const;
    await history.append([succeeded('orders', adopted)]);
    await withBench({ history }, async ({ run }) => {
      const { stdout } = await run('history', 'sales');
      assert.match(stdout, / {2}adopted {2}2026-11-20 03:00:02 {2}unchanged since its load of/);
      const events = await run('history', 'sales', 'orders');
      assert.match(events.stdout, /orders {2}adopted {2}b1 .* {2}unchanged since its load of/);
    });
  });

  it('shows the outcomes of a batch', async () => {
    await withBench({ history: await filled() }, async ({ run }) => {
      const { stdout } = await run('history', '--batch', 'b1', '--json');
      const events = JSON.parse(stdout) as { table: string; kind: string }[];
      assert.deepEqual(
        events.map(({ table, kind }) => [table, kind]),
        [
          ['orders', 'SUCCEEDED'],
          ['public.visits', 'SUCCEEDED'],
        ],
      );
    });
  });

  it('says that nothing is recorded', async () => {
    await withBench({}, async ({ run }) => {
      assert.equal((await run('history')).stdout, 'nothing is recorded\n');
    });
  });

  const mistakes: [string, string[], RegExp][] = [
    ['an unknown pipeline', ['sale'], /no pipeline "sale" in .* — did you mean "sales"\?/],
    ['an unknown table', ['sales', 'order'], /no table "order" — did you mean "orders"\?/],
    ['a name without its schema', ['sales', 'visit'], /did you mean "public\.visits"\?/],
    ['an unknown batch', ['--batch', 'b9'], /no batch "b9"/],
    ['a limit of nothing', ['--limit', '0'], /It takes a whole number from 1/],
  ];
  for (const [name, commandLine, message] of mistakes) {
    it(`refuses ${name}`, async () => {
      await withBench({ history: await filled() }, async ({ run }) => {
        const { code, stderr, stdout } = await run('history', ...commandLine);
        assert.equal(code, 2);
        assert.match(stderr, message);
        assert.equal(stdout, '');
      });
    });
  }
});
