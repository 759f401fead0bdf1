import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Execute } from '../../scripts/services/command';
import { projectFile } from '../../scripts/services/maven';
import { ensurePython, environmentVersion } from '../../scripts/services/python';
import { ToolUnavailableError } from '../../scripts/services/service';

describe('Python environments', () => {
  let cache: string;
  let chosen: string | undefined;

  beforeEach(async () => {
    chosen = process.env['COMPORTA_CACHE'];
    cache = await mkdtemp(join(tmpdir(), 'comporta-python-'));
    process.env['COMPORTA_CACHE'] = cache;
  });

  afterEach(async () => {
    if (chosen === undefined) delete process.env['COMPORTA_CACHE'];
    else process.env['COMPORTA_CACHE'] = chosen;
    await rm(cache, { recursive: true });
  });

  const pretend =
    (version: string, commands: string[][] = [], pip: () => string = () => ''): Execute =>
    (_command, args) => {
      commands.push([...args]);
      if (args[0] === '-c') return Promise.resolve(`${version}\n`);
      return args[1] === 'pip' ? Promise.resolve().then(pip) : Promise.resolve('');
    };

  it('differ with the packages and the interpreter', () => {
    const versions = [
      environmentVersion('3.11', ['a==1']),
      environmentVersion('3.11', ['a==2']),
      environmentVersion('3.12', ['a==1']),
      environmentVersion('3.11', ['a==1', 'b==1']),
    ];
    assert.equal(new Set(versions).size, versions.length);
  });

  it('are made once', async () => {
    const commands: string[][] = [];
    const run = pretend('3.11', commands);
    const first = await ensurePython('peer', ['a==1'], undefined, run);
    const second = await ensurePython('peer', ['a==1'], undefined, run);
    assert.deepEqual(second, first);
    const pip = commands.filter((args) => args[1] === 'pip');
    assert.equal(pip.length, 1);
    assert.ok(pip[0]!.includes('--prefer-binary'));
    assert.equal(pip[0]!.at(-1), 'a==1');
  });

  it('leave nothing behind when a package cannot be had', async () => {
    const run = pretend('3.11', [], () => {
      throw new Error('no such release');
    });
    await assert.rejects(
      ensurePython('peer', ['a==1'], undefined, run),
      (error) => error instanceof ToolUnavailableError && error.message.includes('no such release'),
    );
    assert.ok(!existsSync(join(cache, 'python-peer', environmentVersion('3.11', ['a==1']))));
  });

  it('take the interpreter that was asked for, also one of pyenv', async () => {
    const usual = process.env['PYENV_ROOT'];
    process.env['PYENV_ROOT'] = cache;
    try {
      const bin = join(cache, 'versions/9.7.2/bin');
      await mkdir(bin, { recursive: true });
      await writeFile(join(bin, 'python3'), '', { mode: 0o755 });
      const made: string[] = [];
      const run: Execute = (command, args) => {
        if (args[0] === '-m' && args[1] === 'venv') made.push(command);
        // pyenv's own name on PATH of a version that is not chosen.
        if (args[0] === '-c' && command.includes('shims'))
          return Promise.reject(new Error('pyenv'));
        if (args[0] === '-c') return Promise.resolve(command.startsWith(bin) ? '9.7\n' : '3.11\n');
        return Promise.resolve('');
      };
      await ensurePython('peer', ['a==1'], undefined, run, '9.7');
      assert.deepEqual(made, [join(bin, 'python3')]);
      await assert.rejects(
        ensurePython('peer', ['a==1'], undefined, run, '9.8'),
        (error) => error instanceof ToolUnavailableError && /Python 9\.8 is/.test(error.message),
      );
    } finally {
      if (usual === undefined) delete process.env['PYENV_ROOT'];
      else process.env['PYENV_ROOT'] = usual;
    }
  });

  it('want a recent interpreter', async () => {
    await assert.rejects(
      ensurePython('peer', ['a==1'], undefined, pretend('3.9')),
      ToolUnavailableError,
    );
  });
});

describe('Java archives', () => {
  it('are named to Maven by group, artifact and version', () => {
    const project = projectFile(['org.postgresql:postgresql:42.7.7']);
    assert.match(
      project,
      /<groupId>org.postgresql<\/groupId><artifactId>postgresql<\/artifactId><version>42.7.7</,
    );
    assert.doesNotMatch(project, /exclusion/);
  });

  it('bring nothing else along where they have it within', () => {
    const project = projectFile(['com.google:gcs-connector:1.2:shaded']);
    assert.match(project, /<version>1.2<\/version><classifier>shaded<\/classifier><exclusions>/);
  });
});
