/**
 * What every npm script calls: `node scripts/run.mjs <command> [argument…]`.
 *
 * It makes sure that the dependencies are installed, then becomes the command: the program runs in
 * this very process, so signals and the exit code are its own. TypeScript is run from source by
 * tsx; `start` takes the compiled worker of `npm run build` where that is newer than every source.
 *
 * Plain JavaScript on Node's own modules, since it runs before anything is installed.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileKernels, kernelsAreFresh } from './kernels.mjs';
import { withLock } from './lock.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);

const oldestNode = [20, 19];

/** Programs of the project; the arguments given here come before the user's. */
const programs = {
  demo: ['scripts/demo/main.ts'],
  start: ['src/worker/main.ts'],
  trigger: ['src/client/main.ts', 'trigger'],
  plan: ['src/client/main.ts', 'plan'],
  history: ['src/client/main.ts', 'history'],
  report: ['src/client/main.ts', 'report'],
  schedule: ['src/client/main.ts', 'schedule'],
  check: ['src/client/main.ts', 'check'],
  reset: ['src/client/main.ts', 'reset'],
  import: ['src/client/main.ts', 'import'],
  'codec-server': ['src/codec-server/main.ts'],
  services: ['scripts/services/main.ts'],
  test: ['scripts/test/main.ts'],
  bench: ['bench/main.ts'],
  soak: ['test/soak/main.ts'],
  'lab:spark': ['test/lab/main.ts'],
  build: ['scripts/build.ts'],
};

/** Programs of the dependencies: package, its command, arguments. */
const tools = {
  lint: ['eslint', 'eslint', '.'],
  format: ['prettier', 'prettier', '--write', '.'],
  'format:check': ['prettier', 'prettier', '--check', '.'],
  typecheck: ['typescript', 'tsc', '--noEmit'],
};

const [command, ...args] = process.argv.slice(2);
checkNode();
if (command in programs) {
  const [source, ...first] = programs[command];
  const compiled = command === 'start' ? freshBuildOf(source) : undefined;
  await ensureDependencies({ development: compiled === undefined });
  if (compiled === undefined) require('tsx/cjs');
  become(compiled ?? join(root, source), [...first, ...args]);
} else if (command in tools) {
  const [packageName, tool, ...first] = tools[command];
  await ensureDependencies({ development: true });
  process.chdir(root);
  become(binaryOf(packageName, tool), [...first, ...args]);
} else {
  const known = [...Object.keys(programs), ...Object.keys(tools)].join(', ');
  fail(`there is no command "${command ?? ''}"; the commands are: ${known}`);
}

/** Runs a program as if Node had been started with it. */
function become(program, programArguments) {
  process.argv.splice(1, process.argv.length, program, ...programArguments);
  Module.runMain();
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])) return;
  fail(`Node.js ${oldestNode.join('.')} or newer is needed; this is ${process.versions.node}`);
}

async function ensureDependencies(needed) {
  if (isReady(needed)) return;
  const problem = await withLock(
    join(root, '.comporta'),
    'install',
    // Another process may have installed them while this one waited.
    () => (isReady(needed) ? undefined : prepare(needed)),
  );
  if (problem !== undefined) fail(problem);
}

function isReady(needed) {
  return isInstalled(needed) && (!needed.development || kernelsAreFresh(root));
}

/** Installs and compiles; returns what went wrong, if anything. A build brings its kernels along. */
function prepare(needed) {
  if (!isInstalled(needed) && !install()) return 'npm ci failed';
  if (!needed.development || kernelsAreFresh(root)) return undefined;
  const problem = compileKernels(root);
  return problem === undefined ? undefined : `kernels/ could not be compiled: ${problem}`;
}

/** Whether it succeeded; when not, it has printed why. */
function install() {
  process.stderr.write('comporta: installing dependencies (npm ci)\n');
  // The npm that runs this script, if one does.
  const npm = process.env.npm_execpath ?? '';
  const [program, ...first] = /npm-cli\.c?js$/.test(npm) ? [process.execPath, npm] : ['npm'];
  const { error, status, stdout, stderr } = spawnSync(
    program,
    [...first, 'ci', '--include=dev', '--include=optional', '--no-audit', '--loglevel=error'],
    { cwd: root, encoding: 'utf8' },
  );
  if (error === undefined && status === 0) return true;
  process.stderr.write(`${stdout ?? ''}${stderr ?? ''}${error === undefined ? '' : error.message}`);
  return false;
}

/**
 * Whether node_modules holds what package-lock.json asks for, by npm's own record of what it has
 * installed. npm writes that record last, so an installation cut short does not count.
 */
function isInstalled({ development }) {
  const record = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const installed = JSON.parse(readFileSync(record, 'utf8')).packages;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const complete = Object.entries(wanted).every(([path, entry]) => {
    if (path === '' || installed[path]?.integrity === entry.integrity) return true;
    const dispensable = entry.optional || (entry.dev && !development) || entry.devOptional;
    return dispensable && installed[path] === undefined;
  });
  // A node_modules that came from another machine has that machine's binaries.
  const { arch, platform } = process;
  const fitting = Object.values(installed).every(
    ({ os, cpu }) => (os?.includes(platform) ?? true) && (cpu?.includes(arch) ?? true),
  );
  return complete && fitting;
}

/**
 * The compiled form of a source file, unless any source has changed since, or the dependencies,
 * which are part of the workflow bundle: the stamp holds the lock file's hash.
 */
function freshBuildOf(source) {
  const compiled = join(root, 'dist', source.replace(/\.ts$/, '.js'));
  const stamp = join(root, 'dist', '.complete');
  if (!existsSync(compiled) || !existsSync(stamp)) return undefined;
  const lockFile = readFileSync(join(root, 'package-lock.json'));
  if (readFileSync(stamp, 'utf8') !== createHash('sha256').update(lockFile).digest('hex')) return;
  const sources = ['src', 'kernels', 'tsconfig.json', 'tsconfig.build.json'].map((name) =>
    join(root, name),
  );
  return newest(sources) < statSync(stamp).mtimeMs ? compiled : undefined;
}

/** Latest modification of any of these files and folders and what is in them. */
function newest(paths) {
  return Math.max(
    0,
    ...paths.filter(existsSync).map((path) => {
      const { mtimeMs } = statSync(path);
      if (!statSync(path).isDirectory()) return mtimeMs;
      return Math.max(mtimeMs, newest(readdirSync(path).map((name) => join(path, name))));
    }),
  );
}

function binaryOf(packageName, tool) {
  const manifest = join(root, 'node_modules', packageName, 'package.json');
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8'));
  return join(dirname(manifest), typeof bin === 'string' ? bin : bin[tool]);
}

function fail(message) {
  process.stderr.write(`comporta: ${message}\n`);
  process.exit(1);
}
