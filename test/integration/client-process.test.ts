import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTemporal, type NativeTemporalService } from '../../scripts/services/temporal';
import { CONNECTIONS, SALES } from '../client/command-bench';
import { startClientProcess, type ClientProcess } from '../support/client-process';

const CLOSED_PORT = '127.0.0.1:1';

describe('the commands as processes', function () {
  this.timeout(60_000);
  let directory: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'comporta-client-'));
    await writeFile(join(directory, 'connections.yaml'), CONNECTIONS);
    await writeFile(join(directory, 'sales.yaml'), SALES);
  });
  after(() => rm(directory, { recursive: true, force: true }));

  function start(commandLine: readonly string[], more: NodeJS.ProcessEnv = {}): ClientProcess {
    return startClientProcess(commandLine, {
      COMPORTA_PIPELINES: directory,
      TEMPORAL_ADDRESS: CLOSED_PORT,
      TEMPORAL_CONFIG_FILE: join(directory, 'no-such.toml'),
      ...more,
    });
  }

  it('answers 3 without a Temporal server, and says how to get one', async () => {
    const { code, stdout, stderr } = await start(['trigger', 'sales']).ended;
    assert.deepEqual([code, stdout], [3, '']);
    assert.equal(
      stderr,
      `Temporal at ${CLOSED_PORT} is not there (connection refused) — start it (npm run services -- up temporal), or name the right one in TEMPORAL_ADDRESS or a profile\n`,
    );
  });

  it('answers 3 when the source cannot be reached', async () => {
    const local = CONNECTIONS.replace('db.example', '127.0.0.1, port: 1');
    const folder = await mkdtemp(join(tmpdir(), 'comporta-client-'));
    try {
      await writeFile(join(folder, 'connections.yaml'), local);
      await writeFile(join(folder, 'sales.yaml'), SALES);
      const { code, stderr } = await start(['plan', 'sales', '--pipelines', folder]).ended;
      assert.equal(code, 3, stderr);
      assert.match(stderr, /shop/);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('answers 2 to an unknown pipeline', async () => {
    const { code, stderr } = await start(['trigger', 'salse']).ended;
    assert.equal(code, 2);
    assert.match(stderr, /^there is no pipeline "salse" in .* — did you mean "sales"\?$/m);
  });

  it('answers 2 to a malformed file, with file and line', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'comporta-client-'));
    try {
      await writeFile(join(folder, 'connections.yaml'), CONNECTIONS);
      await writeFile(join(folder, 'sales.yaml'), 'pipeline: sales\nsource: {\n');
      const { code, stderr } = await start(['check', '--pipelines', folder]).ended;
      assert.equal(code, 2);
      assert(stderr.includes(`${folder}/sales.yaml:`), stderr);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('answers 2 to a folder that is not there', async () => {
    const { code, stderr } = await start(['plan', 'sales', '--pipelines', '/no/such']).ended;
    assert.equal(code, 2);
    assert.match(stderr, /\/no\/such: there is no such folder/);
  });

  it('gives help without reading anything', async () => {
    const { code, stdout } = await start(['--help', '--pipelines', '/no/such']).ended;
    assert.equal(code, 0);
    assert.match(stdout, /trigger .*\n[^]*schedule/);
  });

  describe('with a Temporal server and no worker', () => {
    let server: NativeTemporalService;
    let environment: NodeJS.ProcessEnv;

    before(async () => {
      server = await startTemporal({ headless: true });
      environment = { TEMPORAL_ADDRESS: server.address };
    });
    after(() => server.stop());

    it('trigger says that nobody works, and how to change that', async () => {
      const { code, stderr } = await start(['trigger', 'sales', 'orders'], environment).ended;
      assert.equal(code, 0);
      assert.deepEqual(
        stderr.split('\n').map((line) => line.replace(/:.*/, '')),
        [
          'no worker polls the task queue comporta-control',
          'no worker polls the task queue comporta-embedded',
          '',
        ],
      );
      assert.match(stderr, /start one with "npm start -- --roles control"/);
    });

    it('--wait keeps waiting, and Ctrl-C leaves the load to its worker', async () => {
      const { ended, stderr, interrupt } = start(['trigger', 'sales', '--wait'], environment);
      const started = Date.now();
      while (!stderr().includes('comporta-embedded')) {
        assert(Date.now() - started < 20_000, stderr());
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      interrupt();
      const { code } = await ended;
      assert.equal(code, 130);
      assert.match(stderr(), /no longer waiting; the load goes on as controller\/sales\//);
    });

    it('answers 2 to a namespace that is not there', async () => {
      const { code, stderr } = await start(['schedule', 'list'], {
        ...environment,
        TEMPORAL_NAMESPACE: 'nowhere',
      }).ended;
      assert.equal(code, 2, stderr);
      assert.match(stderr, /has no namespace "nowhere"/);
    });
  });
});
