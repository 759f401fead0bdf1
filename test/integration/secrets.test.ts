import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { sharedMariadb, sharedPostgres, uniqueName } from '../support/servers';
import { startWorld, type World } from '../support/world';

/** Planted where secrets belong, and hunted for everywhere else. */
const SECRETS = {
  RIGHT_PASSWORD: 'Zq7-right-password-93kd',
  WRONG_PASSWORD: 'Zq7-wrong-password-77aa',
  MASK_KEY: 'Zq7-mask-key-11bb',
  MASK_SALT: 'Zq7-mask-salt-22cc',
  /** A value of a masked column: not a credential, but it must not get out either. */
  EMAIL: 'zq7-someone@example.org',
} as const;

describe('secrets', function () {
  this.timeout(120_000);

  let world: World;
  const user = uniqueName('secretive');
  const database = uniqueName('vault');

  before(async () => {
    const { host, port, ...admin } = await sharedMariadb();
    const postgres = await sharedPostgres();
    const sql = await createConnection({ host, port, user: admin.user, password: admin.password });
    await sql.query(`CREATE DATABASE ${database}`);
    await sql.query(
      `CREATE TABLE ${database}.people (id INT PRIMARY KEY, email VARCHAR(50), phone VARCHAR(50), at DATE)`,
    );
    await sql.query(`INSERT INTO ${database}.people VALUES (1, ?, ?, NULL)`, [
      SECRETS.EMAIL,
      SECRETS.EMAIL,
    ]);
    await sql.query(`CREATE USER ${user} IDENTIFIED BY '${SECRETS.RIGHT_PASSWORD}'`);
    await sql.query(`GRANT SELECT ON ${database}.* TO ${user}`);
    await sql.end();

    const connection = (type: string, at: { host: string; port: number }, secret: string) =>
      `{ type: ${type}, host: ${at.host}, port: ${at.port}, user: ${user}, password: env:${secret}, database: ${database} }`;
    const pipeline = (name: string, more = '') =>
      `pipeline: ${name}\nsource: { connection: ${name} }\ndestination: { connection: lake }\n${more}`;
    world = await startWorld({
      environment: SECRETS,
      files: {
        'connections.yaml': `
connections:
  good: ${connection('mysql', { host, port }, 'RIGHT_PASSWORD')}
  denied: ${connection('mysql', { host, port }, 'WRONG_PASSWORD')}
  denied-postgres: ${connection('postgres', postgres, 'WRONG_PASSWORD')}
  unset: ${connection('mysql', { host, port }, 'NOT_SET_ANYWHERE')}
  unreachable: ${connection('mysql', { host, port: 1 }, 'RIGHT_PASSWORD')}
  not-a-database: ${connection('mysql', { host, port: postgres.port }, 'RIGHT_PASSWORD')}
  lake: { type: file, path: ../lake }
`,
        'good.yaml': pipeline(
          'good',
          'defaults: { columns: { mask: { email: { method: hmac, key: env:MASK_KEY }, phone: { method: sha256, salt: env:MASK_SALT } } } }\n',
        ),
        'denied.yaml': pipeline('denied'),
        'denied-postgres.yaml': pipeline('denied-postgres'),
        'unset.yaml': pipeline('unset'),
        'unreachable.yaml': pipeline('unreachable', 'defaults: { attempts: 1 }\n'),
        'not-a-database.yaml': pipeline('not-a-database', 'defaults: { attempts: 1 }\n'),
        'filtered.yaml': `pipeline: filtered\nsource: { connection: good }\ndomain: filtered\ndestination: { connection: lake }\noverrides: { people: { where: "no_such_column = 1" } }\n`,
      },
    });
  });

  after(() => world?.close());

  it('are in no log, failure, workflow history, history row or file of the lake', async () => {
    await world.run({ pipeline: 'good', batch: 'b' });
    const failing = ['denied', 'denied-postgres', 'unset', 'filtered'];
    for (const pipeline of failing) {
      await assert.rejects(world.run({ pipeline, batch: 'b' }), Error, pipeline);
    }
    // These are retried for as long as a source may be away; what they say on the way counts too.
    const retried = ['unreachable', 'not-a-database'];
    for (const pipeline of retried) {
      const handle = await world.client.workflow.start('controller', {
        workflowId: `controller/${pipeline}/b`,
        taskQueue: 'comporta-control',
        args: [{ pipeline, batch: 'b' }],
      });
      await untilFailedOnce(world, handle.workflowId);
      await handle.terminate('seen enough');
    }

    const places: [string, string][] = [
      ['the log', world.logged.join('')],
      ...(await temporalHistories(world)),
      ...(await historyRows(world, ['good', ...failing, ...retried])),
      ...(await filesUnder(world.lake)),
    ];
    assert.ok(places.length > 10, 'the hunt has places to look at');
    for (const [place, text] of places) {
      for (const [name, secret] of Object.entries(SECRETS)) {
        assert.ok(!text.includes(secret), `${name} is in ${place}`);
        const encoded = Buffer.from(secret).toString('base64').replace(/=+$/, '').slice(0, -1);
        assert.ok(!text.includes(encoded), `${name} is in ${place}, in base64`);
      }
    }
  });

  it('the hunt finds what is there', async () => {
    const places = await temporalHistories(world);
    assert.ok(
      places.some(([, text]) => text.includes('denied')),
      'payloads are looked into',
    );
  });
});

async function untilFailedOnce(world: World, workflowId: string): Promise<void> {
  const handle = world.client.workflow.getHandle(workflowId);
  const ASK_EVERY_MS = 50;
  for (;;) {
    const { raw } = await handle.describe();
    if (raw.pendingActivities?.some(({ lastFailure }) => lastFailure)) {
      world.logged.push(JSON.stringify(raw.pendingActivities));
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
  }
}

/** Every event of every workflow, with its payloads as text. */
async function temporalHistories({ client }: World): Promise<[string, string][]> {
  const places: [string, string][] = [];
  for await (const { workflowId, runId } of client.workflow.list()) {
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    const text = JSON.stringify(history, (_key, value: unknown) => {
      const bytes = asBytes(value);
      return bytes === undefined ? value : bytes.toString('utf8');
    });
    places.push([`the history of ${workflowId}`, text]);
  }
  return places;
}

/** Protobuf's byte fields, also as Buffer's own JSON form. */
function asBytes(value: unknown): Buffer | undefined {
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer') {
    return Buffer.from((value as unknown as { data: number[] }).data);
  }
  return undefined;
}

async function historyRows(
  world: World,
  pipelines: readonly string[],
): Promise<[string, string][]> {
  const history = await world.history();
  return Promise.all(
    pipelines.map(async (pipeline): Promise<[string, string]> => [
      `the history rows of ${pipeline}`,
      JSON.stringify(await history.events({ pipeline, limit: 1000 })),
    ]),
  );
}

async function filesUnder(directory: string): Promise<[string, string][]> {
  const names = await readdir(directory, { recursive: true });
  const places: [string, string][] = [];
  for (const name of names) {
    const path = join(directory, name);
    if ((await stat(path)).isFile()) places.push([name, await readFile(path, 'latin1')]);
  }
  return places;
}
