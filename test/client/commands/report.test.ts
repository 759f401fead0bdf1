import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Report } from '../../../src/client/report/report';
import { withBench } from '../command-bench';
import { event, loaded } from '../report/events';

const FAILED = event('FAILED', 'orders', '2026-11-20T03:00:00.000Z', {
  ...{ errorCode: 'SourceRejected', error: 'no such column' },
  ...{ workflowId: 'ingest/sales/orders/b1', workflowRunId: 'run-id' },
});

describe('report', () => {
  it('writes one page and says where', async () => {
    await withBench({}, async ({ run, history, directory }) => {
      await history.append([loaded('orders', '2026-11-19T03:00:00.000Z', 7), FAILED]);
      const file = join(directory, 'report.html');
      const { code, stdout } = await run('report', '--output', file, '--web-ui', 'http://ui:8233/');
      assert.deepEqual([code, stdout], [0, `${file}\n`]);
      const page = await readFile(file, 'utf8');
      assert.ok(
        page.includes(
          'http://ui:8233/namespaces/default/workflows/ingest%2Fsales%2Forders%2Fb1/run-id/history',
        ),
      );
    });
  });

  it('gives programs the data instead', async () => {
    await withBench({}, async ({ run, history }) => {
      await history.append([loaded('orders', '2026-11-19T03:00:00.000Z', 7), FAILED]);
      const { code, stdout } = await run('report', 'sales', '--json', '--days', '2');
      assert.equal(code, 0);
      const report = JSON.parse(stdout) as Report;
      assert.equal(report.days, 2);
      assert.equal(report.pipelines[0]?.tables[0]?.failure?.code, 'SourceRejected');
    });
  });

  it('says when the page cannot be written', async () => {
    await withBench({}, async ({ run }) => {
      const { code, stderr } = await run('report', '--output', '/no/such/folder/report.html');
      assert.equal(code, 2);
      assert.match(stderr, /cannot be written: .*ENOENT.* — name another file with --output/);
    });
  });
});
