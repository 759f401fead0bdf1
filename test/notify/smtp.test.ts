import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import type { AddressInfo } from 'node:net';
import { makeCertificates } from '../../scripts/services/certificates';
import { freePort } from '../../scripts/services/network';
import { ComportaError } from '../../src/errors';
import type { Notice } from '../../src/notify/notice';
import { createSmtpNotifier, mailOf } from '../../src/notify/smtp';
import type { SmtpConnection } from '../../src/pipeline/pipeline';

const NOTICE: Notice = {
  ...{ pipeline: 'vendas', batch: 'b1', loaded: 3, skipped: 200 },
  failures: [
    {
      code: 'ConnectionFailed',
      tables: [
        { table: 'pedidos', error: 'não há conexão' },
        { table: 'itens', error: 'não há conexão' },
      ],
    },
  ],
  recovered: [],
  stale: [{ table: 'clientes', verifiedAt: '2026-01-01T00:00:00.000Z' }],
  link: 'https://web.ui/w',
};

const PASSWORD = 'mail-secret';

interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly raw: string;
}

describe('a notice by e-mail', () => {
  let server: SMTPServer | undefined;
  let mails: Mail[];

  beforeEach(() => (mails = []));
  afterEach(async () => {
    const running = server;
    server = undefined;
    if (running !== undefined) await new Promise<void>((resolve) => running.close(resolve));
  });

  async function listen(options: SMTPServerOptions = {}): Promise<SmtpConnection> {
    const started = new SMTPServer({
      disabledCommands: ['STARTTLS', 'AUTH'],
      closeTimeout: 100,
      onData(stream, session, callback) {
        let raw = '';
        stream.on('data', (data: Buffer) => (raw += data.toString()));
        stream.on('end', () => {
          const { mailFrom, rcptTo } = session.envelope;
          mails.push({
            from: mailFrom === false ? '' : mailFrom.address,
            to: rcptTo.map(({ address }) => address),
            raw,
          });
          callback();
        });
      },
      ...options,
    });
    server = started;
    started.on('error', () => undefined);
    await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
    return connection((started.server.address() as AddressInfo).port);
  }

  const connection = (port: number, more: Partial<SmtpConnection> = {}): SmtpConnection => ({
    ...{ type: 'smtp', name: 'mail', host: '127.0.0.1', port },
    from: 'Comporta <comporta@example.org>',
    to: ['ops@example.org', 'dados@example.org'],
    tls: { mode: 'disable' },
    ...more,
  });

  const secrets = { read: () => Promise.resolve(PASSWORD) };
  const send = (to: SmtpConnection) => createSmtpNotifier(to, secrets).send(NOTICE);

  async function failure(to: SmtpConnection): Promise<ComportaError> {
    const error: unknown = await send(to).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof ComportaError, String(error));
    assert.ok(!error.message.includes(PASSWORD));
    return error;
  }

  it('says the same as on any channel, under an id of its batch', () => {
    const { subject, text, messageId } = mailOf(NOTICE);
    assert.equal(subject, '[Comporta] vendas: 2 tables failed, 1 table out of date');
    assert.equal(
      text,
      `ConnectionFailed: não há conexão
- pedidos
- itens

Out of date
- clientes: since 2026-01-01T00:00:00.000Z

batch b1: 3 loaded, 200 unchanged
https://web.ui/w
`,
    );
    assert.equal(messageId, mailOf({ ...NOTICE, failures: [] }).messageId);
    assert.notEqual(messageId, mailOf({ ...NOTICE, batch: 'b2' }).messageId);
  });

  it('goes to every recipient in one message', async () => {
    assert.equal(await send(await listen()), 'sent');
    assert.equal(mails.length, 1);
    assert.equal(mails[0]?.from, 'comporta@example.org');
    assert.deepEqual(mails[0]?.to, ['ops@example.org', 'dados@example.org']);
    assert.match(mails[0]?.raw, /^Subject: \[Comporta\] vendas: 2 tables failed/m);
    assert.match(mails[0]?.raw, /^From: Comporta <comporta@example\.org>/m);
  });

  it('logs in, and says which login was refused without saying it', async () => {
    const onAuth: SMTPServerOptions['onAuth'] = ({ username, password }, _session, callback) => {
      if (username === 'comporta' && password === PASSWORD) callback(null, { user: username });
      else callback(new Error('Invalid username or password'));
    };
    const open = await listen({ disabledCommands: ['STARTTLS'], onAuth, allowInsecureAuth: true });
    const password = { from: 'env', name: 'MAIL' } as const;
    assert.equal(await send({ ...open, user: 'comporta', password }), 'sent');
    const refused = await failure({ ...open, user: 'somebody', password });
    assert.equal(refused.code, 'AuthenticationFailed');
    const check = (user: string) =>
      createSmtpNotifier({ ...open, user, password }, secrets).check();
    await check('comporta');
    await assert.rejects(check('somebody'), /the mail server of mail refused the login/);
    assert.equal(mails.length, 1);
  });

  it('encrypts, and verifies the server by the given authority', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'comporta-mail-'));
    try {
      const files = await makeCertificates(folder);
      const open = await listen({
        disabledCommands: ['AUTH'],
        cert: await readFile(files.certificateFile),
        key: await readFile(files.keyFile),
      });
      const ca = files.authorityFile;
      assert.equal(await send({ ...open, tls: { mode: 'verify-full', ca } }), 'sent');
      const unknown = await failure({ ...open, tls: { mode: 'verify-full' } });
      assert.equal(unknown.code, 'NotificationFailed');
      assert.equal(mails.length, 1);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('is not sent in the clear when that is not wanted', async () => {
    const open = await listen();
    await failure({ ...open, tls: { mode: 'require' } });
    assert.equal(mails.length, 0);
  });

  it('is refused for now, or for good', async () => {
    const answering = (responseCode: number) =>
      listen({
        onRcptTo: (_address, _session, callback) =>
          callback(Object.assign(new Error('no'), { responseCode })),
      });
    assert.equal((await failure(await answering(451))).code, 'NotificationFailed');
    await new Promise<void>((resolve) => server!.close(resolve));
    assert.equal((await failure(await answering(550))).code, 'ConfigurationInvalid');
  });

  it('is surely not there without a connection', async () => {
    assert.equal((await failure(connection(await freePort()))).code, 'NotificationFailed');
  });

  it('may be there when the server is lost after the text', async () => {
    const lost = await listen({
      onData: (stream, session) => {
        stream.resume();
        stream.on('end', () => {
          for (const { _socket: socket } of server!.connections as Iterable<{
            _socket: { destroy(): void };
          }>)
            socket.destroy();
          void session;
        });
      },
    });
    assert.equal(await send(lost), 'unknown');
  });
});
