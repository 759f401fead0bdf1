import assert from 'node:assert/strict';
import { CONNECTIONS, SALES, withBench } from './command-bench';

const COMMANDS: readonly (readonly string[])[] = [
  ['trigger'],
  ['plan'],
  ['history'],
  ['check'],
  ['reset'],
  ...['apply', 'list', 'pause', 'resume', 'trigger', 'delete'].map((name) => ['schedule', name]),
];

describe('the command line', () => {
  for (const command of COMMANDS) {
    it(`${command.join(' ')} has help on standard output`, async () => {
      await withBench({}, async ({ run }) => {
        const { code, stdout, stderr } = await run(...command, '--help');
        assert.deepEqual([code, stderr], [0, '']);
        assert.match(stdout, /--pipelines <dir>/);
        assert.match(stdout, /--json/);
      });
    });
  }

  for (const command of ['trigger', 'plan', 'history', 'schedule', 'check', 'reset']) {
    it(`the help of ${command} has examples and exit codes`, async () => {
      await withBench({}, async ({ run }) => {
        const { stdout } = await run(command, '--help');
        assert.match(stdout, new RegExp(`Examples:\n  npm run ${command} ?-?-?`));
        assert.match(stdout, /Exit codes: 0 done, 1 /);
      });
    });
  }

  const usage: [string, string[], RegExp][] = [
    ['no command', [], /Usage: comporta/],
    ['an unknown command', ['tigger'], /unknown command 'tigger'[^]*Did you mean trigger/],
    ['an unknown option', ['plan', 'sales', '--forse'], /unknown option '--forse'/],
    ['a missing argument', ['trigger'], /missing required argument 'pipeline'/],
    ['too many arguments', ['history', 'a', 'b', 'c'], /too many arguments/],
  ];
  for (const [name, commandLine, message] of usage) {
    it(`answers 2 to ${name}`, async () => {
      await withBench({}, async ({ run }) => {
        const { code, stdout, stderr } = await run(...commandLine);
        assert.deepEqual([code, stdout], [2, '']);
        assert.match(stderr, message);
      });
    });
  }

  it('answers 2 to wrong pipeline files, with every mistake and its place', async () => {
    const files = {
      'connections.yaml': CONNECTIONS,
      'sales.yaml': `${SALES}tabels: {}\nconcurrency: many\n`,
    };
    await withBench({ files }, async ({ run, directory }) => {
      const { code, stderr, stdout } = await run('plan', 'sales');
      assert.deepEqual([code, stdout], [2, '']);
      assert(stderr.includes(`${directory}/sales.yaml:5:1`), stderr);
      assert(stderr.includes(`${directory}/sales.yaml:6:14`), stderr);
    });
  });

  it('gives an error as one JSON document with --json, and as text on standard error', async () => {
    const files = { 'connections.yaml': CONNECTIONS, 'sales.yaml': `${SALES}tabels: {}\n` };
    await withBench({ files }, async ({ run }) => {
      const { code, stderr, stdout } = await run('plan', 'sales', '--json');
      assert.equal(code, 2);
      assert.match(stderr, /^1 mistake/);
      const { error } = JSON.parse(stdout) as {
        error: { code: string; mistakes: { line: number }[] };
      };
      assert.equal(error.code, 'ConfigurationInvalid');
      assert.deepEqual(
        error.mistakes.map(({ line }) => line),
        [5],
      );
    });
  });

  it('answers 3 when Temporal cannot be reached', async () => {
    await withBench({}, async ({ run }) => {
      const { code, stderr } = await run('trigger', 'sales');
      assert.equal(code, 3);
      assert.match(stderr, /^Temporal at x:7233 is not there/);
    });
  });

  it('answers 1 to a defect, with the place where it arose', async () => {
    const source = { listTables: () => Promise.reject(new TypeError('cannot read x')) };
    await withBench({ source }, async ({ run }) => {
      const { code, stderr } = await run('plan', 'sales');
      assert.equal(code, 1);
      assert.match(stderr, /^unexpected: TypeError: cannot read x\n {4}at /);
    });
  });
});
