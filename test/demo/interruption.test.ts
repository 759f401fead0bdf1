import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { descendantsOf, isAlive } from '../../scripts/services/process-table';

const program = resolve(__dirname, '../../scripts/run.mjs');

describe('npm run demo, interrupted', function () {
  this.timeout(120_000);

  it('stops everything that it started, and takes its folder with it', async () => {
    const demo = spawn(process.execPath, [program, 'demo', '--temp'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    demo.stderr.setEncoding('utf8');
    let progress = '';
    for await (const text of demo.stderr) {
      progress += String(text);
      if (progress.includes('filling the databases')) break;
    }
    const ended = once(demo, 'close');
    const started = descendantsOf(demo.pid!);
    const folder = /folder: (\S+)/.exec(progress)?.[1];
    assert.ok(started.length >= 3, `Temporal and two databases, not ${started.length} processes`);
    assert.ok(folder !== undefined && existsSync(folder), progress);

    demo.kill('SIGINT');
    assert.deepEqual(await ended, [null, 'SIGINT']);
    assert.deepEqual(started.filter(isAlive), []);
    assert.ok(!existsSync(folder));
  });
});
