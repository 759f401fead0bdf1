import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const scripts = resolve(__dirname, '../../scripts');

describe('scripts/run.mjs', () => {
  let project: string;
  beforeEach(async () => {
    project = await makeProject();
  });
  afterEach(() => rm(project, { recursive: true }));

  it('installs once, says so in one line, and runs the program with its arguments', async () => {
    const first = await run('typecheck', '--flag', 'a b');
    assert.deepEqual(first, {
      code: 7,
      stdout: '["--noEmit","--flag","a b"]\n',
      stderr: 'comporta: installing dependencies (npm ci)\n',
    });
    const second = await run('typecheck');
    assert.deepEqual(second, { code: 7, stdout: '["--noEmit"]\n', stderr: '' });
    assert.equal(await installations(), 1);
  });

  it('installs again when the lock file asks for something else', async () => {
    await run('typecheck');
    await write('package-lock.json', lockFile('sha512-new'));
    assert.match((await run('typecheck')).stderr, /installing/);
    assert.equal(await installations(), 2);
  });

  it('does not take the packages of another platform for installed', async () => {
    await run('typecheck');
    const foreign = JSON.parse(lockFile('sha512-old')) as { packages: Record<string, object> };
    foreign.packages['node_modules/binary'] = { os: ['plan9'], cpu: ['pdp11'], optional: true };
    await write('node_modules/.package-lock.json', JSON.stringify(foreign));
    assert.match((await run('typecheck')).stderr, /installing/);
  });

  it('does without optional packages that were not installed', async () => {
    await run('typecheck');
    const wanted = JSON.parse(lockFile('sha512-old')) as { packages: Record<string, object> };
    wanted.packages['node_modules/binary'] = { integrity: 'x', optional: true };
    await write('package-lock.json', JSON.stringify(wanted));
    assert.equal((await run('typecheck')).stderr, '');
  });

  it('installs once when two start at the same time', async () => {
    const both = await Promise.all([run('typecheck'), run('typecheck')]);
    assert.deepEqual(
      both.map(({ code }) => code),
      [7, 7],
    );
    assert.equal(await installations(), 1);
  });

  it('takes over from an installation that died', async () => {
    const dead = spawn(process.execPath, ['--eval', '']);
    await new Promise((ended) => dead.once('close', ended));
    await write('.comporta/install.lock', String(dead.pid));
    assert.equal((await run('typecheck')).code, 7);
  });

  it('shows why an installation failed, and lets the next one try', async () => {
    await write('npm-fails', '');
    const failed = await run('typecheck');
    assert.equal(failed.code, 1);
    assert.equal(failed.stdout, '');
    assert.match(failed.stderr, /npm error: no network\ncomporta: npm ci failed\n$/);
    await rm(join(project, 'npm-fails'));
    assert.equal((await run('typecheck')).code, 7);
  });

  it('compiles the kernels when they are older than their sources, and says what went wrong', async () => {
    const compiler = (body: string) => write('node_modules/assemblyscript/bin/asc.js', body);
    await run('typecheck');
    await write('node_modules/assemblyscript/package.json', '{}');
    await write('kernels/index.ts', '');
    await write('src/columnar/kernels/kernels.wasm', 'old');
    await touch('src/columnar/kernels/kernels.wasm', -10_000);
    await compiler('console.error("no such type"); process.exit(1);');
    assert.match(
      (await run('typecheck')).stderr,
      /comporta: kernels\/ could not be compiled: no such type\n/,
    );
    await compiler(
      'require("fs").writeFileSync(process.argv[process.argv.indexOf("--outFile") + 1], "new");',
    );
    assert.equal((await run('typecheck')).code, 7);
    const compiled = join(project, 'src/columnar/kernels/kernels.wasm');
    assert.equal(await readFile(compiled, 'utf8'), 'new');
    await compiler('process.exit(1);');
    assert.equal((await run('typecheck')).code, 7, 'what is compiled is not compiled again');
  });

  it('names the commands when it is given none of them', async () => {
    const { code, stderr } = await run('dmeo');
    assert.equal(code, 1);
    assert.match(stderr, /^comporta: there is no command "dmeo"; the commands are: demo, start, /);
  });

  it('starts the worker from source, or from a build that is newer than every source', async () => {
    await write('src/worker/main.ts', 'console.log("source", process.argv.slice(2));');
    await write('dist/src/worker/main.js', 'console.log("built", process.argv.slice(2));');
    const started = async () => (await run('start', '--roles', 'control')).stdout;
    assert.equal(await started(), "source [ '--roles', 'control' ]\n", 'a build cut short');
    const lock = await readFile(join(project, 'package-lock.json'));
    await write('dist/.complete', createHash('sha256').update(lock).digest('hex'));
    await touch('dist/.complete', 1_000);
    assert.equal(await started(), "built [ '--roles', 'control' ]\n");
    await write('package-lock.json', lockFile('sha512-new'));
    assert.equal(await started(), "source [ '--roles', 'control' ]\n", 'other dependencies');
    await write('package-lock.json', lockFile('sha512-old'));
    assert.equal(await started(), "built [ '--roles', 'control' ]\n");
    await touch('src/worker/main.ts', 2_000);
    assert.equal(await started(), "source [ '--roles', 'control' ]\n", 'a stale build');
  });

  async function run(...args: string[]) {
    // The npm that runs this test must not be taken for the project's.
    const child = spawn(process.execPath, [join(project, 'scripts/run.mjs'), ...args], {
      env: {
        ...process.env,
        npm_execpath: '',
        PATH: `${join(project, 'bin')}:${process.env['PATH']}`,
      },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const code = await new Promise((ended) => child.once('close', ended));
    return { code, stdout, stderr };
  }

  async function write(path: string, text: string) {
    await mkdir(dirname(join(project, path)), { recursive: true });
    await writeFile(join(project, path), text);
  }

  /** Dates a file so many seconds from now. */
  async function touch(path: string, seconds: number) {
    const time = Date.now() / 1000 + seconds;
    await utimes(join(project, path), time, time);
  }

  async function installations() {
    return (await readFile(join(project, 'npm.log'), 'utf8')).trim().split('\n').length;
  }
});

/** A project with two dependencies that print, and an npm that installs them. */
async function makeProject(): Promise<string> {
  const project = await mkdtemp(join(tmpdir(), 'comporta-run-'));
  await mkdir(join(project, 'scripts'));
  for (const name of ['run.mjs', 'lock.mjs', 'kernels.mjs'])
    await cp(join(scripts, name), join(project, 'scripts', name));
  await writeFile(join(project, 'package-lock.json'), lockFile('sha512-old'));
  await mkdir(join(project, 'bin'));
  await writeFile(
    join(project, 'bin/npm'),
    `#!/bin/sh
echo "$*" >> npm.log
if [ -e npm-fails ]; then echo 'npm error: no network' >&2; exit 1; fi
mkdir -p node_modules/typescript node_modules/tsx
echo '{"bin":{"tsc":"tsc.js"}}' > node_modules/typescript/package.json
echo 'console.log(JSON.stringify(process.argv.slice(2))); process.exitCode = 7' > node_modules/typescript/tsc.js
echo 'require.extensions[".ts"] = require.extensions[".js"]' > node_modules/tsx/cjs.js
cp package-lock.json node_modules/.package-lock.json
`,
  );
  await chmod(join(project, 'bin/npm'), 0o755);
  return project;
}

function lockFile(integrity: string): string {
  return JSON.stringify({
    packages: { '': { name: 'project' }, 'node_modules/typescript': { integrity } },
  });
}
