import assert from 'node:assert/strict';
import { ComportaError } from '../../../src/errors';
import type { TableSnapshot } from '../../../src/sources/source';
import { CONNECTIONS, SALES, withBench } from '../command-bench';

/** A snapshot whose columns are as the test says, and its server's opinion of a filter. */
function snapshot(
  plan: TableSnapshot['plan'],
  tryFilter: TableSnapshot['tryFilter'] = () => Promise.resolve(),
): Promise<TableSnapshot> {
  return Promise.resolve({
    plan,
    tryFilter,
    close: () => Promise.resolve(),
  } as Partial<TableSnapshot> as never);
}

describe('check', () => {
  it('tells good news in a line each, and an unreachable Temporal as an error', async () => {
    await withBench({}, async ({ run }) => {
      const { code, stdout } = await run('check');
      assert.equal(code, 1);
      assert.deepEqual(stdout.replace(/\/\S*\/history\.db/, 'HISTORY').split('\n'), [
        'ok  sales: source shop  2 of 2 tables',
        'ok  sales: destination lake  file:/lake',
        'ok  history sqlite HISTORY  0 tables known',
        'failed  Temporal',
        '    error: Temporal at x:7233 is not there',
        '',
        '1 error, no warnings',
        '',
      ]);
    });
  });

  it('looks at each platform that a pipeline names, once', async () => {
    const files = {
      'connections.yaml': `${CONNECTIONS}  bucket: { type: s3, bucket: b, region: r }
  batches: { type: dataproc, project: p, region: r, serverless: {} }
  runs: { type: glue, region: r, job: ingest }
`,
      'sales.yaml': `${SALES.replace('lake', 'bucket')}defaults: { platform: batches }
overrides:
  orders: { engine: dataproc }
  customers: { engine: glue, platform: runs }
`,
    };
    const missing = new ComportaError('PermissionDenied', 'no right to submit', {
      remedy: 'grant',
    });
    const retries = {
      severity: 'error' as const,
      subject: 'connection runs',
      remedy: 'set it to 0',
    };
    const checkPlatform = (_project: unknown, _pipeline: unknown, name: string) =>
      name === 'batches'
        ? Promise.reject(missing)
        : Promise.resolve({
            checked: 'job ingest',
            findings: [{ ...retries, problem: 'retries' }],
          });
    await withBench({ files, checkPlatform }, async ({ run }) => {
      const { stdout } = await run('check');
      assert.deepEqual(stdout.split('\n').slice(2, 8), [
        'failed  sales: platform batches',
        '    error: no right to submit',
        '    → grant',
        'failed  sales: platform runs  job ingest',
        '    error: connection runs: retries',
        '    → set it to 0',
      ]);
    });
  });

  it('tells what jobs of Spark cannot do of what a source and a lake are set to', async () => {
    const files = {
      'connections.yaml': `${CONNECTIONS.replace('type: mysql,', 'type: mysql, tls: { mode: verify-full, ca: ca.pem },')}  bucket: { type: s3, bucket: b, region: r, kmsKey: alias/lake }
`,
      'sales.yaml': `${SALES.replace('lake', 'bucket')}overrides: { orders: { engine: spark } }
`,
    };
    await withBench({ files }, async ({ run }) => {
      const { stdout } = await run('check');
      assert.deepEqual(stdout.split('\n').slice(2, 7), [
        'failed  sales: jobs of spark  settings of source and lake',
        '    error: connection shop: a Spark job knows no certificate files',
        "    → leave tls.ca, certificate and key out: Java's own authorities decide",
        '    error: connection bucket: a Spark job does not honour kmsKey',
        '    → leave kmsKey out and set the bucket or the platform up for it, or use the engine embedded',
      ]);
    });
  });

  it('tries the channels of notifications without telling anybody', async () => {
    const send = () => assert.fail('nobody wants to hear of a check');
    const remedy = 'check user and password of the connection';
    const refused = new ComportaError('AuthenticationFailed', 'mail refused the login', { remedy });
    const notifiers = {
      ops: { send, check: () => Promise.resolve() },
      mail: { send, check: () => Promise.reject(refused) },
    };
    await withBench({ notifiers }, async ({ run }) => {
      const { stdout } = await run('check');
      assert.deepEqual(stdout.split('\n').slice(2, 6), [
        'ok  sales: notify ops  nobody was told',
        'failed  sales: notify mail',
        '    error: mail refused the login',
        `    → ${remedy}`,
      ]);
    });
  });

  it('names each problem with its remedy, the same one once for many tables', async () => {
    const missing = (subject: string) => ({
      severity: 'error' as const,
      subject,
      problem: 'no right to read',
      remedy: 'GRANT SELECT ON shop.* TO loader',
    });
    const source = {
      check: () => Promise.resolve([missing('orders'), missing('customers')]),
      openSnapshot: () => assert.fail('a closed table need not be tried again'),
    };
    await withBench({ source }, async ({ run }) => {
      const { stdout } = await run('check');
      assert.deepEqual(stdout.split('\n').slice(0, 3), [
        'failed  sales: source shop  2 of 2 tables',
        '    error: orders, customers: no right to read',
        '    → GRANT SELECT ON shop.* TO loader',
      ]);
    });
  });

  it('finds a filter that the server refuses', async () => {
    const files = {
      'connections.yaml': CONNECTIONS,
      'sales.yaml': `${SALES}overrides:\n  orders: { where: "oops = 1" }\n`,
    };
    const tryFilter = ({ where }: { where?: string }) =>
      where === undefined
        ? Promise.resolve()
        : Promise.reject(new ComportaError('SourceRejected', `no column in "${where}"`));
    const source = { openSnapshot: () => snapshot(() => ({ columns: [] }), tryFilter) };
    await withBench({ files, source }, async ({ run }) => {
      const { stdout } = await run('check', 'sales');
      assert.match(stdout, /error: orders: no column in "oops = 1"/);
      assert.doesNotMatch(stdout, /customers/);
    });
  });

  it('finds columns without a faithful type, patterns for nothing, and closed sources', async () => {
    const unsupported = new ComportaError('TypeUnsupported', 'column "shape" has type money[]', {
      table: 'orders',
      remedy: 'list it under textColumns',
    });
    const files = {
      'connections.yaml': CONNECTIONS,
      'sales.yaml': `${SALES}overrides:\n  visits: { mode: append, cursor: { column: id } }\n`,
    };
    const source = {
      openSnapshot: () =>
        snapshot(() => {
          throw unsupported;
        }),
    };
    await withBench({ files, source, tables: ['orders'] }, async ({ run, directory }) => {
      const { stdout } = await run('check', 'sales');
      assert.deepEqual(stdout.replaceAll(directory, 'DIR').split('\n').slice(0, 5), [
        'failed  sales: source shop  1 of 1 tables',
        '    warning: DIR/sales.yaml: overrides: the pattern "visits" matches no table',
        '    → correct it, or take it out',
        '    error: orders: column "shape" has type money[]',
        '    → list it under textColumns',
      ]);
    });
    const closed = new ComportaError('AuthenticationFailed', 'shop: refused the password');
    const refusing = { listTables: () => Promise.reject(closed) };
    await withBench({ source: refusing }, async ({ run }) => {
      const { stdout } = await run('check', '--json');
      const { errors, groups } = JSON.parse(stdout) as { errors: number; groups: unknown[] };
      assert.equal(errors, 2);
      assert.deepEqual(groups[0], {
        subject: 'sales: source shop',
        checked: '',
        findings: [
          {
            severity: 'error',
            subject: 'sales: source shop',
            problem: 'shop: refused the password',
            remedy: '',
          },
        ],
      });
    });
  });

  it('looks at the columns of many tables only when told to', async () => {
    let opened = 0;
    const source = {
      openSnapshot: () => {
        opened += 1;
        return snapshot(() => ({ columns: [] }));
      },
    };
    const tables = Array.from({ length: 501 }, (_, index) => `t${index}`);
    await withBench({ source, tables }, async ({ run }) => {
      const { stdout } = await run('check');
      assert.match(stdout, /501 of 501 tables, columns not looked at \(--deep does\)/);
      assert.equal(opened, 0);
      await run('check', '--deep');
      assert.equal(opened, 501);
    });
  });

  it('warns when the pipeline selects nothing', async () => {
    await withBench({ tables: [] }, async ({ run }) => {
      const { stdout } = await run('check');
      assert.match(stdout, /warning: .*sales.yaml: tables: none of the 0 tables/);
    });
  });
});
