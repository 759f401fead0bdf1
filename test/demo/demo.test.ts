import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

const program = resolve(__dirname, '../../scripts/run.mjs');

interface Document {
  readonly tables: number;
  readonly rows: number;
  readonly deviations: readonly string[];
  readonly lake: string;
  readonly firstRun: readonly Run[];
  readonly secondRun: readonly Run[];
  readonly inLake: readonly { readonly view: string; readonly rows: number }[];
}

interface Run {
  readonly pipeline: string;
  readonly outcomes: readonly {
    readonly table: string;
    readonly kind: string;
    readonly verdict: string;
    readonly reason: string;
    readonly rowsPublished?: number;
  }[];
}

describe('npm run demo', function () {
  this.timeout(180_000);

  it('loads everything, then the two tables that changed, and leaves nothing behind', async () => {
    const { code, stdout, stderr } = await run('demo', '--temp', '--json');
    assert.equal(code, 0, stderr + stdout);
    const document = JSON.parse(stdout) as Document;
    assert.deepEqual(document.deviations, []);
    assert.equal(document.tables, 14);
    // 304,116 rows, then three inserted and two deleted in each of two tables.
    assert.equal(document.rows, 304_118);

    const first = document.firstRun.flatMap(({ outcomes }) => outcomes);
    assert.equal(first.length, 14);
    assert.ok(first.every(({ kind }) => kind === 'SUCCEEDED'));

    const second = document.secondRun.flatMap(({ pipeline, outcomes }) =>
      outcomes.map((outcome) => ({ pipeline, ...outcome })),
    );
    const loaded = second.filter(({ kind }) => kind === 'SUCCEEDED');
    assert.deepEqual(
      loaded.map(({ pipeline, table, rowsPublished }) => [pipeline, table, rowsPublished]),
      [
        ['sales', 'orders', 40_001],
        ['finance', 'public.invoices', 8_001],
      ],
    );
    const skipped = second.filter(({ kind }) => kind === 'SKIPPED');
    assert.equal(skipped.length, 12);
    for (const { table, verdict, reason } of skipped) {
      assert.equal(verdict, 'unchanged', table);
      assert.match(reason, /^(log|token|checksum): /, table);
    }

    assert.equal(document.inLake.find(({ view }) => view === 'sales.orders')?.rows, 40_001);
    assert.ok(!existsSync(document.lake), 'the temporary folder is gone');
  });
});

function run(...args: string[]) {
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((done, reject) => {
    const child = spawn(process.execPath, [program, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.once('error', reject);
    child.once('close', (code) => done({ code, stdout, stderr }));
  });
}
