import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkAnswer } from '../../bench/load/check';
import { contenders } from '../../bench/load/contenders';
import { markdownTable, roundReport } from '../../bench/load/report';
import { withSection } from '../../bench/load/results';
import type { Figure } from '../../bench/load/round';
import { serverCpuSeconds } from '../../bench/load/server-cpu';
import { ensureSourceData, withDuckdb, type SourceData } from '../../bench/load/source-data';
import { benchTables } from '../../bench/load/tables';
import { largestOfTenths } from '../../bench/memory';

describe('The benchmark of whole tables', () => {
  describe('the check of an answer', () => {
    let folder: string;
    let chosen: string | undefined;
    let wide: SourceData;

    before(async () => {
      chosen = process.env['COMPORTA_CACHE'];
      folder = await mkdtemp(join(tmpdir(), 'comporta-bench-'));
      process.env['COMPORTA_CACHE'] = folder;
      wide = await ensureSourceData(benchTables.wide, 0.001, '', () => undefined);
    });

    after(async () => {
      if (chosen === undefined) delete process.env['COMPORTA_CACHE'];
      else process.env['COMPORTA_CACHE'] = chosen;
      await rm(folder, { recursive: true });
    });

    async function answer(name: string, select: string, options = 'COMPRESSION zstd') {
      const file = join(folder, `${name}.parquet`);
      await withDuckdb(wide.file, (connection) =>
        connection.run(
          `COPY (SELECT ${select} FROM wide) TO '${file}' (FORMAT parquet, ${options})`,
        ),
      );
      return checkAnswer(wide, [file]);
    }

    it('finds nothing in the table itself', async () => {
      assert.equal(wide.rows, 500);
      assert.deepEqual(await answer('same', '*'), { wrong: [], types: [], settings: [] });
    });

    it('finds one value of many changed', async () => {
      const { wrong } = await answer('changed', "* REPLACE (if(id = 77, 'x', email) AS email)");
      assert.match(wrong.join(), /hash of email/);
    });

    it('finds a NULL that became a text', async () => {
      const { wrong } = await answer('null', "* REPLACE (coalesce(note, '') AS note)");
      assert.match(wrong.join(), /count of note/);
    });

    it('finds a column that is not there', async () => {
      const { wrong } = await answer('missing', '* EXCLUDE (token)');
      assert.deepEqual(wrong, ['token is missing']);
    });

    it('finds rows that came twice', async () => {
      const file = join(folder, 'twice.parquet');
      await answer('twice', '*');
      const { wrong } = await checkAnswer(wide, [file, file]);
      assert.equal(wrong[0], 'rows: 1000, not 500');
    });

    it('takes another type for the same values, and says so', async () => {
      const { wrong, types } = await answer('types', '* REPLACE (price::VARCHAR AS price)');
      assert.deepEqual(wrong, []);
      assert.deepEqual(types, ['decimal as text']);
    });

    it('says what the file does without', async () => {
      const { settings } = await answer('settings', '*', 'COMPRESSION snappy');
      assert.deepEqual(settings, ['codec SNAPPY']);
    });
  });

  describe('the report', () => {
    const figure = (contender: string, kind: Figure['kind'], cpuSeconds: number): Figure => ({
      ...{ contender, kind, cpuSeconds, runs: 3, wallSeconds: 4, peakMiB: 100 },
      ...{ serverCpuSeconds: 1, startupSeconds: 0.5, fileBytes: 2_000_000 },
      ...(kind === 'discard' ? {} : { verdict: { wrong: [], types: [], settings: [] } }),
    });

    function report(...figures: Figure[]): string {
      const data = { table: benchTables.pairs, rows: 1_000_000, file: '', version: '' };
      return roundReport(
        {
          ...{ data, scale: 1, repeats: 3, zstdLevel: 3, commit: 'abc' },
          database: { version: 'PostgreSQL 17' } as never,
        },
        { figures, load: [0.1, 0.2] },
      );
    }

    const further = (cpuSeconds: number) => ({
      again: { cpuSeconds, wallSeconds: 2 * cpuSeconds, serverCpuSeconds: 0.5 },
    });

    it('compares with the best peer, and running processes with each other', () => {
      const text = report(
        { ...figure('Comporta', 'us', 1.5), ...further(0.5) },
        { ...figure('slow', 'peer', 9), ...further(0.75) },
        { ...figure('quick', 'peer', 2.5), ...further(1.5) },
      );
      assert.match(text, /Client CPU of the best peer ÷ ours: 1\.67 \(quick\)/);
      assert.match(text, /running process: client CPU per row .* ÷ ours: 1\.50 \(slow\)/);
      assert.match(text, /running process: client and server CPU .* ÷ ours: 1\.25 \(slow\)/);
      assert.match(text, /running process: wall time .* ÷ ours: 1\.50 \(slow\)/);
    });

    it('takes the start-up from whoever cannot move a table twice', () => {
      const text = report(
        { ...figure('Comporta', 'us', 1.5), ...further(0.5) },
        figure('ends', 'peer', 2.5),
      );
      assert.match(text, /running process: client CPU per row .* ÷ ours: 4\.00 \(ends\)/);
      assert.doesNotMatch(text, /running process: wall time of the best peer/);
    });

    it('does not count a peer whose answer is wrong', () => {
      const wrong = {
        ...figure('wrong', 'peer', 0.6),
        verdict: { wrong: ['rows: 1, not 2'], types: [], settings: [] },
      };
      const text = report(figure('Comporta', 'us', 1.5), wrong, figure('right', 'peer', 3));
      assert.match(text, /Client CPU of the best peer ÷ ours: 2\.00 \(right\)/);
      assert.match(text, /WRONG: rows: 1, not 2/);
    });

    it('shows a contender that failed, without figures', () => {
      const failed = { ...figure('broken', 'peer', Number.NaN), runs: 0, failed: 'no luck' };
      const text = report(figure('Comporta', 'us', 1.5), failed);
      assert.match(text, /\| broken .*FAILED: no luck/);
      assert.doesNotMatch(text, /NaN/);
    });

    it('keeps a bar out of the table', () => {
      assert.match(markdownTable(['a', 'b'], [['x', 'y|z']]), /y\\\|z/);
    });

    it('replaces a section and leaves the others', () => {
      const first = withSection(withSection('', '2 b', 'old'), '1 a', 'other');
      const second = withSection(first, '2 b', 'new');
      assert.ok(second.indexOf('other') < second.indexOf('new'));
      assert.doesNotMatch(second, /old/);
      assert.equal(withSection(second, '2 b', 'new'), second);
    });
  });

  it('counts the CPU of a server with its children, ended ones too', async () => {
    const work = 'let x = 0; while (process.cpuUsage().user < 150e3) x++;';
    const program = `require('node:child_process').execFileSync(process.execPath, ['-e', ${JSON.stringify(work)}]); process.stdout.write('done'); process.stdin.resume();`;
    const server = spawn(process.execPath, ['-e', program], { stdio: ['pipe', 'pipe', 'inherit'] });
    try {
      await once(server.stdout, 'data');
      assert.ok(serverCpuSeconds(server.pid!) >= 0.15);
    } finally {
      server.kill();
      await once(server, 'exit');
    }
  });

  it('gives the largest memory of each tenth of the time', () => {
    const samples = Array.from({ length: 20 }, (_, index) => index);
    assert.deepEqual(largestOfTenths(samples), [1, 3, 5, 7, 9, 11, 13, 15, 17, 19]);
    assert.equal(largestOfTenths([5]).length, 10);
  });

  it('has one contender of its own for every table, first of all, and no name twice', () => {
    const own = contenders.filter(({ kind }) => kind === 'us');
    assert.equal(own.filter(({ tables }) => tables === undefined).length, 1);
    assert.equal(contenders[0]?.tables, undefined);
    assert.equal(contenders[0]?.kind, 'us');
    assert.equal(new Set(contenders.map(({ name }) => name)).size, contenders.length);
  });
});
