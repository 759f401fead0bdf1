import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { treeUse } from '../../bench/process-tree';

describe('what a process and those below it use', () => {
  it('counts them apart, also those that have ended, from the start of the work', async () => {
    // A shell whose child works and has ended before the work does.
    const burn = `node -e "const held = Buffer.alloc(64 * 2 ** 20, 1); const end = Date.now() + 400; while (Date.now() < end) held[0]++"`;
    const parent = spawn('sh', ['-c', `read go; ${burn}; echo done; read go`], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    try {
      const { use } = await treeUse(parent.pid!, async () => {
        parent.stdin.write('\n');
        await once(parent.stdout, 'data');
      });
      assert.ok(use.belowCpuSeconds > 0.1, `${use.belowCpuSeconds} s below`);
      assert.ok(use.ownCpuSeconds < 0.1, `${use.ownCpuSeconds} s of its own`);
      assert.ok(use.peakMiB > 64, `${use.peakMiB} MiB`);
    } finally {
      parent.stdin.end();
      await once(parent, 'exit');
    }
  });
});
