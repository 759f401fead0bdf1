import assert from 'node:assert/strict';
import { workflowBundle } from '../support/workflow-worker';

describe('the workflow bundle', function () {
  this.timeout(60_000);

  it('holds nothing but workflow code', async () => {
    const { code } = await workflowBundle();
    for (const stranger of ['mysql2', 'node_modules/pg/', 'zod', 'yaml', 'pino', 'duckdb']) {
      assert.ok(!code.includes(`node_modules/${stranger}`), `${stranger} is in the bundle`);
    }
    // Each cached workflow has its own copy of what a module makes when it is loaded.
    const MAXIMUM_BYTES = 2_500_000;
    assert.ok(code.length < MAXIMUM_BYTES, `${code.length} bytes`);
    const traced = await workflowBundle({ traced: true });
    assert.ok(traced.code.length < 2 * MAXIMUM_BYTES, `${traced.code.length} bytes with tracing`);
  });
});
