import assert from 'node:assert/strict';
import { decide } from '../../../src/detection/decide';
import type { Plan } from '../../../src/plan/plan';
import { planLines } from '../../../src/client/commands/plan';
import { PLAIN } from '../../../src/client/render/style';
import { failed, withBench } from '../command-bench';

const TOKEN = { sourceTime: '2026-11-21T03:00:00.000000Z', evidence: [] };

describe('plan', () => {
  it('lists what would load and records nothing', async () => {
    await withBench({}, async ({ run, history }) => {
      assert.deepEqual(await run('plan', 'sales'), {
        code: 0,
        stderr: '',
        stdout: [
          'load       mode  verdict  reason',
          'orders     full  unknown  no successful load yet',
          'customers  full  unknown  no successful load yet',
          '',
          'sales  2 to load, 0 unchanged, from mysql:shop to file:/lake',
          '',
        ].join('\n'),
      });
      assert.deepEqual(await history.events({ pipeline: 'sales' }), []);
    });
  });

  it('takes tables, --force and --failed-of', async () => {
    await withBench({}, async ({ run, history }) => {
      await history.append([failed('customers')]);
      const loads = async (...more: string[]) => {
        const { stdout, code, stderr } = await run('plan', 'sales', '--json', ...more);
        assert.equal(code, 0, stderr);
        return (JSON.parse(stdout) as Plan).loads.map(({ table, decision }) => [
          table,
          decision.verdict,
        ]);
      };
      assert.deepEqual(await loads('orders'), [['orders', 'unknown']]);
      assert.deepEqual(await loads('orders', '--force'), [['orders', 'forced']]);
      assert.deepEqual(await loads('--failed-of', 'b2'), [['customers', 'forced']]);
    });
  });

  it('says which table was probably meant', async () => {
    await withBench({}, async ({ run }) => {
      const { code, stderr, stdout } = await run('plan', 'sales', 'ordres');
      assert.equal(code, 2);
      assert.match(stderr, /^sales: the pipeline has no table "ordres" — did you mean "orders"\?/);
      assert.equal(stdout, '');
    });
  });

  it('shows verdicts, proofs and warnings', () => {
    const decision = decide({ current: TOKEN, strategy: 'auto', maxSkipAgeMs: 1 });
    const load = { taskQueue: 'q', timeoutMs: 1, maximumAttempts: 1 };
    const plan: Plan = {
      pipeline: 'sales',
      batch: 'b1',
      plannedAt: '2026-11-21T03:00:00.000Z',
      source: 'mysql:shop',
      destination: 'file:/lake',
      concurrency: 4,
      loads: [{ table: 'orders', mode: 'incremental', decision, load }],
      skips: [
        {
          table: 'customers',
          decision: { verdict: 'unchanged', reason: 'token: same token (version 7)' },
        },
      ],
      warnings: ['visits was loaded before'],
    };
    assert.deepEqual(planLines(plan, undefined, PLAIN), [
      'load    mode         verdict  reason',
      'orders  incremental  unknown  no successful load yet',
      '',
      'skip       proof',
      'customers  token: same token (version 7)',
      '',
      'warning: visits was loaded before',
      'sales  1 to load, 1 unchanged, from mysql:shop to file:/lake',
    ]);
  });
});
