import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheDirectory, installOnce } from '../../scripts/services/cache';
import { withSuiteInLines, withSuiteInStanzas } from '../../scripts/services/debian';
import {
  isRunning,
  readKept,
  stopKept,
  writeKept,
  type KeptService,
} from '../../scripts/services/kept';
import { isRecentMysql, logArguments } from '../../scripts/services/mysql';
import { freePorts, poll } from '../../scripts/services/network';
import { platformPackage, settingArguments } from '../../scripts/services/postgres';
import { serverProcess } from '../../scripts/services/process';
import { commandLineOf, isAlive } from '../../scripts/services/process-table';
import { serverArguments } from '../../scripts/services/temporal';

describe('the tools of the services', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'comporta-tools-'));
  });

  afterEach(() => rm(folder, { recursive: true }));

  describe('cache', () => {
    const usual = process.env['COMPORTA_CACHE'];

    beforeEach(() => {
      process.env['COMPORTA_CACHE'] = folder;
    });

    afterEach(() => {
      if (usual === undefined) delete process.env['COMPORTA_CACHE'];
      else process.env['COMPORTA_CACHE'] = usual;
    });

    it('is COMPORTA_CACHE, else below the user cache', () => {
      assert.equal(cacheDirectory({ COMPORTA_CACHE: '/a', XDG_CACHE_HOME: '/b' }), '/a');
      assert.equal(cacheDirectory({ XDG_CACHE_HOME: '/b' }), '/b/comporta');
      assert.match(cacheDirectory({}), /\.cache\/comporta$/);
    });

    it('installs a version once', async () => {
      let installations = 0;
      const install = async (directory: string) => {
        installations += 1;
        await writeFile(join(directory, 'tool'), 'works');
      };
      const first = await installOnce('tool', '1', install);
      assert.equal(await installOnce('tool', '1', install), first);
      assert.equal(installations, 1);
      assert.equal(await readFile(join(first, 'tool'), 'utf8'), 'works');
    });

    it('lets the first of two concurrent installations win', async () => {
      const install = (name: string) => (directory: string) =>
        writeFile(join(directory, 'by'), name);
      const [first, second] = await Promise.all([
        installOnce('tool', '1', install('one')),
        installOnce('tool', '1', install('two')),
      ]);
      assert.equal(first, second);
      assert.deepEqual(await readdir(join(folder, 'tool')), ['1']);
    });

    it('keeps nothing of an installation that failed', async () => {
      const failing = () => Promise.reject(new Error('no network'));
      await assert.rejects(installOnce('tool', '1', failing), /no network/);
      assert.deepEqual(await readdir(join(folder, 'tool')), []);
    });
  });

  describe('debian', () => {
    it("takes Debian's own archive from a .sources file, with another suite", () => {
      const sources = [
        'Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates',
        'Types: deb\nURIs: http://mirror.example/debian-security\nSuites: bookworm-security',
        'Types: deb\nURIs: https://vendor.example/node\nSuites: nodistro',
      ].join('\n\n');
      assert.equal(
        withSuiteInStanzas(sources, 'sid'),
        'Types: deb\nURIs: http://mirror.example/debian\nSuites: sid',
      );
    });

    it('does the same for lines of a .list file', () => {
      const list = [
        '# comment',
        'deb [signed-by=/keys/debian.gpg] http://mirror.example/debian bookworm main contrib',
        'deb [signed-by=/keys/debian.gpg] http://mirror.example/debian bookworm-updates main',
        'deb-src http://mirror.example/debian bookworm main',
        'deb http://mirror.example/debian-security bookworm-security main',
      ].join('\n');
      assert.equal(
        withSuiteInLines(list, 'sid'),
        'deb [signed-by=/keys/debian.gpg] http://mirror.example/debian sid main\n',
      );
    });
  });

  describe('command lines', () => {
    it('tell MySQL 8.4 and later from the rest', () => {
      const judge = (version: string) => isRecentMysql(`/usr/sbin/mysqld  Ver ${version}`);
      assert.equal(judge('8.4.3 for Linux on x86_64 (MySQL Community Server - GPL)'), true);
      assert.equal(judge('9.7.4-2 for Linux on x86_64 ((Debian))'), true);
      assert.equal(judge('8.0.36 for Linux on x86_64'), false);
      assert.equal(judge('10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu'), false);
    });

    it('switch global transaction ids and the binary log of MySQL', () => {
      assert.deepEqual(logArguments({}), [
        '--log-bin=binlog',
        '--server-id=1',
        '--gtid-mode=ON',
        '--enforce-gtid-consistency=ON',
      ]);
      assert.deepEqual(logArguments({ gtid: false, binaryLog: false }), [
        '--skip-log-bin',
        '--gtid-mode=OFF',
        '--enforce-gtid-consistency=OFF',
      ]);
    });

    it('name the package and the settings of PostgreSQL', () => {
      assert.equal(platformPackage('linux', 'x64'), 'linux-x64');
      assert.equal(platformPackage('win32', 'x64'), 'windows-x64');
      assert.deepEqual(settingArguments({ fsync: 'off' }), ['-c', 'fsync=off']);
    });

    it('make Temporal fast and durable where it has a file', () => {
      const settings = { port: 1, uiPort: 2, databaseFile: undefined, logLevel: 'error' };
      const inMemory = serverArguments(settings);
      assert.ok(inMemory.includes('--ui-port=2'));
      assert.ok(inMemory.includes('--search-attribute=ComportaTable=Keyword'));
      const cached = '--dynamic-config-value=system.forceSearchAttributesCacheRefreshOnRead=false';
      assert.ok(inMemory.includes(cached));
      assert.ok(!inMemory.some((argument) => argument.startsWith('--sqlite-pragma')));
      const inFile = serverArguments({ ...settings, uiPort: undefined, databaseFile: '/a.db' });
      assert.ok(inFile.includes('--headless'));
      assert.ok(inFile.includes('--db-filename=/a.db'));
      assert.ok(inFile.includes('--sqlite-pragma=journal_mode=wal'));
    });
  });

  describe('network', () => {
    it('finds different free ports', async () => {
      const ports = await freePorts(20);
      assert.equal(new Set(ports).size, 20);
    });

    it('polls until the attempt resolves, the time is over, or waiting is pointless', async () => {
      let attempts = 0;
      const third = () => {
        attempts += 1;
        return attempts < 3 ? Promise.reject(new Error('not yet')) : Promise.resolve(attempts);
      };
      assert.equal(await poll(third, { intervalMs: 1 }), 3);
      const never = () => Promise.reject(new Error('not yet'));
      await assert.rejects(poll(never, { intervalMs: 1, timeoutMs: 5 }), /not yet/);
      const giveUp = () => {
        throw new Error('it has exited');
      };
      await assert.rejects(poll(never, { giveUp }), /it has exited/);
    });
  });

  describe('processes', () => {
    const node = (script: string) => ({ command: process.execPath, args: ['-e', script] });
    const forever = 'setInterval(() => undefined, 1000)';
    const options = () => ({
      name: 'box',
      logFile: join(folder, 'log'),
      ready: () => Promise.resolve(),
      stopSignal: 'SIGTERM' as const,
    });

    it('stop with all their children', async () => {
      const server = serverProcess({
        ...options(),
        ready: () => readFile(join(folder, 'child')),
      });
      await server.start(
        node(
          `const child = require('child_process').spawn(process.execPath, ['-e', '${forever}']);` +
            `require('fs').writeFileSync(${JSON.stringify(join(folder, 'child.new'))}, String(child.pid));` +
            `require('fs').renameSync(${JSON.stringify(join(folder, 'child.new'))}, ${JSON.stringify(join(folder, 'child'))});` +
            forever,
        ),
      );
      const pids = [server.pid!, Number(await readFile(join(folder, 'child'), 'utf8'))];
      assert.deepEqual(pids.map(isAlive), [true, true]);
      await server.kill9();
      assert.deepEqual(pids.map(isAlive), [false, false]);
      assert.equal(server.pid, undefined);
    });

    it('are collected, not zombies, when their end is awaited', async () => {
      const server = serverProcess({ ...options(), ready: () => Promise.resolve() });
      await server.start(node(forever));
      const pid = server.pid!;
      // It is gone before `kill9` looks, so that there is nothing to wait for but the collection.
      process.kill(pid, 'SIGKILL');
      await server.kill9();
      assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
    });

    it('report a start that failed with the end of the log', async () => {
      const server = serverProcess({ ...options(), ready: () => Promise.reject(new Error()) });
      await assert.rejects(server.start(node('console.log("no space"); process.exitCode = 7')), {
        message: /^box did not start: Error: it ended with exit code 7\nno space$/,
      });
    });

    for (const [how, script] of [
      ['ends by an error', 'throw new Error("boom")'],
      ['is interrupted', 'process.kill(process.pid, "SIGINT")'],
    ] as const)
      it(`do not outlive the process that started them when it ${how}`, async () => {
        const data = join(folder, 'data');
        await mkdir(data);
        const program = `
          const { serverProcess } = require('./scripts/services/process');
          const { removeAtTheEnd } = require('./scripts/services/end-of-process');
          removeAtTheEnd(${JSON.stringify(data)});
          const server = serverProcess({ name: 'box', logFile: ${JSON.stringify(join(folder, 'log'))}, ready: async () => {}, stopSignal: 'SIGTERM' });
          server.start({ command: process.execPath, args: ['-e', ${JSON.stringify(forever)}] }).then(() => {
            process.stdout.write(String(server.pid));
            setInterval(() => {}, 1000);
            setImmediate(() => { ${script} });
          });`;
        const parent = spawn(process.execPath, ['--require', 'tsx/cjs', '-e', program], {
          stdio: ['ignore', 'pipe', 'ignore'],
        });
        let printed = '';
        parent.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
        await once(parent, 'close');
        assert.match(printed, /^\d+$/);
        assert.equal(isAlive(Number(printed)), false);
        assert.equal(existsSync(data), false);
      });
  });

  describe('kept services', () => {
    it('are stopped by another process, which removes what goes with them', async () => {
      const stateFile = join(folder, 'state.json');
      const data = join(folder, 'data');
      await mkdir(data);
      const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)']);
      const record = {
        kind: 'process',
        pid: child.pid!,
        commandLine: commandLineOf(child.pid!)!,
        stopSignal: 'SIGTERM',
        disposableDirectory: data,
      } as const;
      const kept: KeptService[] = [{ name: 's3', facts: { port: 1 }, record }];
      await writeKept(stateFile, kept);
      assert.deepEqual(await readKept(stateFile), kept);
      assert.equal(await isRunning(record), true);
      await stopKept(record);
      assert.equal(isAlive(child.pid!), false);
      assert.equal(existsSync(data), false);
      await writeKept(stateFile, []);
      assert.equal(existsSync(stateFile), false);
      assert.deepEqual(await readKept(stateFile), []);
    });

    it('are not mistaken for a process that got their id', async () => {
      const record = {
        kind: 'process',
        pid: process.pid,
        commandLine: 'postgres -D /elsewhere',
        stopSignal: 'SIGTERM',
      } as const;
      assert.equal(await isRunning(record), false);
      await stopKept(record);
    });
  });
});
