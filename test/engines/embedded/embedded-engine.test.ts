import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import {
  createEmbeddedEngine,
  type EmbeddedEngineOptions,
} from '../../../src/engines/embedded/embedded-engine';
import type { Engine, LoadProgress, MoveResult } from '../../../src/engines/engine';
import { ComportaError } from '../../../src/errors';
import { moveRequest } from '../../support/move-request';

const SCRIPT = join(__dirname, 'scripted-thread.ts');

describe('the embedded engine', () => {
  const engines: Engine[] = [];
  const create = (options: EmbeddedEngineOptions = {}): Engine => {
    const engine = createEmbeddedEngine({ PLANTED: 'here' }, { script: SCRIPT, ...options });
    engines.push(engine);
    return engine;
  };
  afterEach(async () => {
    await Promise.all(engines.splice(0).map((engine) => engine.close()));
  });

  const move = (engine: Engine, table: string, signal = new AbortController().signal) =>
    engine.move(moveRequest(table), { report: () => undefined, signal });

  /** Begins a move that stays in its thread until a `release` there; `held` is its first report. */
  function hold(engine: Engine, { signal = new AbortController().signal, large = false } = {}) {
    const request = moveRequest('hold');
    const table = large ? { ...request.table, approximateBytes: 1e9 } : request.table;
    let moved: Promise<MoveResult> | undefined;
    let isReading: (progress: LoadProgress) => void = () => undefined;
    const reading = new Promise<LoadProgress>((resolve) => (isReading = resolve));
    const held = new Promise<LoadProgress>((resolve) => {
      const report = (progress: LoadProgress) => {
        resolve(progress);
        if (progress.phase === 'reading') isReading(progress);
      };
      moved = engine.move({ ...request, table }, { report, signal });
      // Whoever awaits it hears of its failure; the test may be about another's.
      moved.catch(() => undefined);
    });
    return { held, reading, moved: moved as unknown as Promise<MoveResult> };
  }

  /** The number of the thread that moved a table. */
  const threadOf = (result: MoveResult) => result.rowsWritten;

  it('keeps a thread for the next table', async () => {
    const engine = create({ threads: 2 });
    const first = threadOf(await move(engine, 'any'));
    assert.ok(first > 0, 'not on the main thread');
    assert.equal(threadOf(await move(engine, 'any')), first);
  });

  it('starts another thread while all are at work, up to their number', async () => {
    const engine = create({ threads: 2 });
    const one = hold(engine);
    const two = hold(engine);
    const three = hold(engine);
    await Promise.all([one.held, two.held, three.held]);
    // The fourth goes to the thread that has one table only, and frees it.
    const fourth = threadOf(await move(engine, 'release'));
    assert.equal(threadOf(await two.moved), fourth);
    const fifth = threadOf(await move(engine, 'any'));
    assert.equal(fifth, fourth, 'the idle one');
  });

  it('moves as many large tables at a time as it has threads, and small ones beside them', async () => {
    const engine = create({ threads: 1 });
    const first = hold(engine, { large: true });
    await first.held;
    const second = hold(engine, { large: true });
    assert.equal((await second.held).phase, 'waiting');
    await move(engine, 'release');
    await first.moved;
    assert.equal((await second.reading).phase, 'reading');
    await move(engine, 'release');
    await second.moved;
  });

  it('passes progress on', async () => {
    const engine = create();
    const { held } = hold(engine);
    assert.deepEqual(await held, { phase: 'reading', rows: 1, bytes: 2 });
  });

  it('gives threads the environment in which they look for secrets', async () => {
    assert.deepEqual((await move(create(), 'any')).primaryKey, ['here']);
  });

  it('brings an error back as it was thrown, without its cause', async () => {
    const error = await move(create(), 'refuse').catch((thrown: unknown) => thrown);
    assert.ok(error instanceof ComportaError);
    assert.equal(error.code, 'TypeUnsupported');
    assert.equal(error.retryable, false);
    assert.equal(error.table, 'refuse');
    assert.equal(error.remedy, 'leave it out');
    assert.equal(error.message, 'shop / refuse: it does not fit — leave it out');
    assert.match(error.stack ?? '', /scripted-thread/);
    assert.equal(error.cause, undefined);
    await assert.rejects(move(create(), 'stumble'), {
      name: 'RangeError',
      message: 'out of range',
    });
  });

  it('tells a cancelled move to stop and throws the reason', async () => {
    const engine = create();
    const controller = new AbortController();
    const { held, moved } = hold(engine, { signal: controller.signal });
    await held;
    const reason = new Error('cancelled by the test');
    controller.abort(reason);
    await assert.rejects(moved, reason);
    await assert.rejects(move(engine, 'any', controller.signal), reason);
  });

  const breakdowns: [string, RegExp][] = [
    ['crash', /broke down: an error that nobody catches/],
    ['exit', /was stopped/],
    ['devour', /ran out of memory/],
  ];
  for (const [table, message] of breakdowns) {
    it(`survives a thread that ends: ${table}`, async () => {
      const engine = create({ threads: 1, limits: { maxOldGenerationSizeMb: 48 } });
      const bystander = hold(engine);
      await bystander.held;
      const isBreakdown = (name: string) => (error: unknown) => {
        assert.ok(error instanceof ComportaError);
        assert.equal(error.code, 'EngineFailed');
        assert.equal(error.retryable, true);
        assert.equal(error.table, name);
        assert.match(error.message, message);
        return true;
      };
      const broken = assert.rejects(move(engine, table), isBreakdown(table));
      await Promise.all([broken, assert.rejects(bystander.moved, isBreakdown('hold'))]);
      assert.ok(threadOf(await move(engine, 'any')) > 0, 'a new thread serves the next');
    });
  }

  it('fails what still moves when it is closed', async () => {
    const engine = create();
    const { held, moved } = hold(engine);
    await held;
    await Promise.all([engine.close(), assert.rejects(moved, /was stopped/)]);
  });

  it('lets a process end while its threads are idle', () => {
    const program = `
      const { createEmbeddedEngine } = require('./src/engines/embedded/embedded-engine');
      const { moveRequest } = require('./test/support/move-request');
      const engine = createEmbeddedEngine({}, { script: ${JSON.stringify(SCRIPT)} });
      const watch = { report: () => undefined, signal: new AbortController().signal };
      engine.move(moveRequest('any'), watch).then(() => process.stdout.write('moved'));
    `;
    const out = execFileSync(process.execPath, ['--require', 'tsx/cjs', '--eval', program], {
      cwd: join(__dirname, '../../..'),
      encoding: 'utf8',
      timeout: 30_000,
    });
    assert.equal(out, 'moved');
  });
});
