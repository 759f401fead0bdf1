import assert from 'node:assert/strict';
import { connect } from 'node:net';
import type { HttpListener } from '../../src/http-listener';
import { startHealthServer, type HealthCheck } from '../../src/worker/health';
import { liveChecks, readyChecks } from '../../src/worker/health-checks';

const LOOPBACK = { host: '127.0.0.1', port: 0 };

const holds = (name: string): HealthCheck => ({ name, check: () => Promise.resolve() });

describe('health', () => {
  let server: HttpListener;
  afterEach(() => server?.close());

  async function ask(path: string, init: RequestInit = {}): Promise<[number, string]> {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, init);
    return [response.status, await response.text()];
  }

  it('says what fails, beside what holds', async () => {
    const fails = { name: 'temporal', check: () => Promise.reject(new Error('gone')) };
    server = await startHealthServer({
      address: LOOPBACK,
      live: [holds('workers')],
      ready: [fails, holds('history')],
    });
    assert.deepEqual(await ask('/livez'), [200, 'workers: ok\n']);
    assert.deepEqual(await ask('/readyz?verbose'), [
      503,
      'workers: ok\ntemporal: gone\nhistory: ok\n',
    ]);
  });

  it('does not wait for a check that hangs', async () => {
    const hangs = { name: 'temporal', check: () => new Promise<never>(() => undefined) };
    server = await startHealthServer({
      address: LOOPBACK,
      live: [],
      ready: [hangs],
      timeoutMs: 20,
    });
    assert.deepEqual(await ask('/readyz'), [503, 'temporal: no answer within 20 ms\n']);
  });

  it('answers nothing else', async () => {
    server = await startHealthServer({ address: LOOPBACK, live: [], ready: [] });
    assert.equal((await ask('/'))[0], 404);
    assert.equal((await ask('/livez', { method: 'POST' }))[0], 404);
  });

  it('closes under a client that keeps its connection', async () => {
    server = await startHealthServer({ address: LOOPBACK, live: [], ready: [] });
    const socket = connect(server.port, '127.0.0.1');
    const ended = new Promise((resolve) => socket.once('close', resolve));
    await new Promise((resolve) => socket.once('connect', resolve));
    await server.close();
    await ended;
    server = await startHealthServer({ address: LOOPBACK, live: [], ready: [] });
  });

  it('tells a worker that failed from one that is stopping', async () => {
    const outcomes = (states: readonly ('RUNNING' | 'DRAINING' | 'FAILED')[]) => {
      const workers = states.map((state) => ({ getState: () => state }));
      const subjects = { workers } as unknown as Parameters<typeof readyChecks>[0];
      const [polling] = readyChecks(subjects);
      const [live] = liveChecks(subjects);
      return Promise.allSettled([live!.check(), polling!.check()]).then((ends) =>
        ends.map(({ status }) => status === 'fulfilled'),
      );
    };
    assert.deepEqual(await outcomes(['RUNNING', 'RUNNING']), [true, true]);
    assert.deepEqual(await outcomes(['RUNNING', 'DRAINING']), [true, false]);
    assert.deepEqual(await outcomes(['RUNNING', 'FAILED']), [false, false]);
  });
});
