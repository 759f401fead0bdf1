import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client as PostgresClient } from 'pg';
import { SMTPServer } from 'smtp-server';
import { sharedPostgres, uniqueName } from '../support/servers';
import { startWorld, type World } from '../support/world';

/** What came over Slack's webhook and by mail, in the order of its coming. */
describe('notifications of batches', function () {
  this.timeout(120_000);

  let world: World;
  let sql: PostgresClient;
  let schema: string;
  let slack: Server;
  let mail: SMTPServer;
  let posts: string[];
  let mails: string[];
  /** Slack's answers to come; 200 when there are no more. */
  let answers: number[];

  before(async () => {
    answers = [];
    slack = createServer((request, response) => {
      let body = '';
      request.on('data', (data: Buffer) => (body += data.toString()));
      request.on('end', () => {
        const status = answers.shift() ?? 200;
        if (status === 200) posts.push(body);
        response.writeHead(status).end(status === 200 ? 'ok' : 'down');
      });
    });
    await new Promise<void>((resolve) => slack.listen(0, '127.0.0.1', resolve));
    mail = new SMTPServer({
      disabledCommands: ['STARTTLS', 'AUTH'],
      onData(stream, _session, callback) {
        let raw = '';
        stream.on('data', (data: Buffer) => (raw += data.toString()));
        stream.on('end', () => {
          mails.push(raw);
          callback();
        });
      },
    });
    await new Promise<void>((resolve) => mail.listen(0, '127.0.0.1', resolve));

    const { host, port, user, password, database } = await sharedPostgres();
    schema = uniqueName('notify');
    sql = new PostgresClient({ host, port, user, password, database });
    await sql.connect();
    await sql.query(`CREATE SCHEMA ${schema}`);
    await sql.query(`CREATE TABLE ${schema}.accounts AS SELECT 1 AS id`);
    await sql.query(`CREATE TABLE ${schema}.ledger AS SELECT 1 AS wrong`);
    const slackPort = (slack.address() as AddressInfo).port;
    const mailPort = (mail.server.address() as AddressInfo).port;
    world = await startWorld({
      environment: {
        FINANCE_PASSWORD: password,
        OPS_WEBHOOK: `http://127.0.0.1:${slackPort}/services/secret-part`,
      },
      files: {
        'connections.yaml': `
connections:
  finance: { type: postgres, host: ${host}, port: ${port}, user: ${user}, password: env:FINANCE_PASSWORD, database: ${database} }
  lake: { type: file, path: ../lake }
  ops: { type: slack, webhook: env:OPS_WEBHOOK }
  mail: { type: smtp, host: 127.0.0.1, port: ${mailPort}, from: comporta@example.org, to: [ops@example.org], tls: { mode: disable } }
`,
        'finance.yaml': `
pipeline: finance
source: { connection: finance, schemas: [${schema}] }
destination: { connection: lake }
defaults: { attempts: 1 }
overrides:
  '*.ledger': { where: id = 1 }
notify: { to: [ops, mail], freshness: 1d }
`,
      },
    });
  });
  after(async () => {
    await world?.close();
    await sql?.end();
    await new Promise<void>((resolve) => mail.close(resolve));
    slack?.close();
  });
  beforeEach(() => {
    posts = [];
    mails = [];
  });

  const run = (batch: string, tables?: string[]) =>
    world
      .run({ pipeline: 'finance', batch, force: true, ...(tables === undefined ? {} : { tables }) })
      .catch(() => undefined);

  it('tell of a failure on every channel, with cause and link, and of no secret', async () => {
    await run('b1');
    assert.equal(posts.length, 1);
    assert.equal(mails.length, 1);
    for (const text of [...posts, ...mails]) {
      assert.match(text, /finance: 1 table failed/);
      assert.match(text, /SourceRejected/);
      assert.match(text, /ledger/);
    }
    assert.match(posts[0]!, /http:\/\/web\.ui\/controller\/finance\/b1/);
    assert.ok(!world.logged.some((line) => line.includes('secret-part')));
  });

  it('are quiet about a batch in which all went well', async () => {
    await run('b2', [`${schema}.accounts`]);
    assert.deepEqual([posts, mails], [[], []]);
  });

  it('come once, although a channel was down at first', async () => {
    answers = [503, 503];
    await run('b3');
    assert.equal(posts.length, 1);
    assert.equal(mails.length, 1);
  });

  it('say when the table is well again, and then no more', async () => {
    await sql.query(`ALTER TABLE ${schema}.ledger RENAME wrong TO id`);
    await run('b4');
    assert.equal(posts.length, 1);
    assert.match(posts[0]!, /1 table well again/);
    assert.match(posts[0]!, /ledger/);
    await run('b5');
    assert.equal(posts.length, 1);
  });
});
