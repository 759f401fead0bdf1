import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { ComportaError } from '../../src/errors';
import { connectClient, loadTemporalOptions } from '../../src/temporal/connection';
import { diagnose } from '../../src/temporal/diagnose';

const SELF_SIGNED = join(__dirname, 'self-signed.pem');
const SECRET = 'planted-api-key-5f0c';
const NO_SETTINGS = '[profile.default]\n';

describe('loadTemporalOptions', () => {
  let directory: string;
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'comporta-temporal-'))));
  afterEach(() => rmSync(directory, { recursive: true }));

  /** An environment whose configuration file holds this TOML. */
  function withFile(toml: string, more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
    const path = join(directory, 'temporal.toml');
    writeFileSync(path, toml);
    return { TEMPORAL_CONFIG_FILE: path, ...more };
  }

  it('falls back to a local server', () => {
    const { address, namespace, connection } = loadTemporalOptions(withFile(NO_SETTINGS));
    assert.deepEqual([address, namespace], ['localhost:7233', 'default']);
    assert.equal(connection.tls, undefined);
  });

  it('takes address and namespace from the environment; empty variables count as absent', () => {
    const { address, namespace } = loadTemporalOptions(
      withFile(NO_SETTINGS, { TEMPORAL_ADDRESS: 'a.example:7000', TEMPORAL_NAMESPACE: '' }),
    );
    assert.deepEqual([address, namespace], ['a.example:7000', 'default']);
  });

  it('takes the named profile, and TLS comes with an API key', () => {
    const toml = `[profile.prod]\naddress = "p.example:7233"\nnamespace = "loads"\napi_key = "${SECRET}"`;
    const { address, namespace, connection } = loadTemporalOptions(withFile(toml), 'prod');
    assert.deepEqual([address, namespace], ['p.example:7233', 'loads']);
    assert.deepEqual([connection.apiKey, connection.tls], [SECRET, true]);
  });

  it('reads certificates from files', () => {
    const { connection } = loadTemporalOptions(
      withFile(NO_SETTINGS, {
        TEMPORAL_TLS_SERVER_CA_CERT_PATH: SELF_SIGNED,
        TEMPORAL_TLS_SERVER_NAME: 'temporal.test',
      }),
    );
    assert(typeof connection.tls === 'object' && connection.tls !== null);
    assert.equal(connection.tls.serverNameOverride, 'temporal.test');
    assert.equal(
      Buffer.from(connection.tls.serverRootCACertificate ?? []).toString(),
      readFileSync(SELF_SIGNED, 'utf8'),
    );
  });

  const mistakes: [string, () => unknown, RegExp][] = [
    [
      'an unknown profile',
      () => loadTemporalOptions(withFile(NO_SETTINGS), 'prod'),
      /has no profile "prod" — list the profiles/,
    ],
    [
      'a missing certificate file',
      () =>
        loadTemporalOptions(
          withFile(NO_SETTINGS, { TEMPORAL_TLS_CLIENT_CERT_PATH: '/no/such.pem' }),
        ),
      /^\/no\/such\.pem, .* cannot be read \(ENOENT\)/,
    ],
    [
      'malformed TOML, without quoting it',
      () => loadTemporalOptions(withFile(`[profile.default]\napi_key = "${SECRET}\n`)),
      /configuration is malformed/,
    ],
  ];
  for (const [name, load, message] of mistakes) {
    it(`refuses ${name}`, () => {
      assert.throws(load, (error) => {
        assert(error instanceof ComportaError);
        assert.equal(error.code, 'ConfigurationInvalid');
        assert.match(error.message, message);
        assert.doesNotMatch(`${error.message}${String(error.cause)}`, new RegExp(SECRET));
        return true;
      });
    });
  }
});

describe('connectClient without a Temporal server', () => {
  const servers: Server[] = [];
  afterEach(() => servers.splice(0).forEach((server) => server.close()));

  async function listening(server: Server): Promise<string> {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  const pem = readFileSync(SELF_SIGNED);
  const tlsServer = () => createTlsServer({ key: pem, cert: pem, ALPNProtocols: ['h2'] });
  const plainServer = () =>
    createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
  const optionsFor = (address: string, more: NodeJS.ProcessEnv = {}) =>
    loadTemporalOptions({
      TEMPORAL_CONFIG_FILE: join(__dirname, 'no-such.toml'),
      TEMPORAL_ADDRESS: address,
      ...more,
    });

  it('gives up at once on a closed port', async () => {
    const server = plainServer();
    const address = await listening(server);
    await new Promise((resolve) => server.close(resolve));
    const started = Date.now();
    await assert.rejects(connectClient(optionsFor(address)), {
      code: 'ConnectionFailed',
      message: new RegExp(
        `Temporal at ${address} is not there \\(connection refused\\) — start it`,
      ),
    });
    assert(Date.now() - started < 2_000);
  });

  it('refuses a certificate that is none, without quoting it', async () => {
    const options = optionsFor('127.0.0.1:7233', {
      TEMPORAL_TLS_CLIENT_CERT_DATA: SECRET,
      TEMPORAL_TLS_CLIENT_KEY_DATA: SECRET,
    });
    await assert.rejects(connectClient(options), (error) => {
      assert(error instanceof ComportaError);
      assert.equal(error.code, 'ConfigurationInvalid');
      assert.doesNotMatch(`${error.message}${String(error.cause)}`, new RegExp(SECRET));
      return true;
    });
  });

  it('says that the other side speaks TLS', async () => {
    const error = await diagnose(optionsFor(await listening(tlsServer())));
    assert.match(error.message, /speaks TLS, and this side does not — set TEMPORAL_TLS=true/);
  });

  it('says that the other side speaks no TLS', async () => {
    const address = await listening(plainServer());
    const error = await diagnose(optionsFor(address, { TEMPORAL_TLS: 'true' }));
    assert.match(error.message, /does not complete a TLS handshake .* set TEMPORAL_TLS=false/);
  });

  it('says that the certificate is not trusted', async () => {
    const address = await listening(tlsServer());
    const error = await diagnose(optionsFor(address, { TEMPORAL_TLS: 'true' }));
    assert.match(error.message, /not trusted here \(DEPTH_ZERO_SELF_SIGNED_CERT\)/);
  });

  it('says that a trusted certificate is for another name', async () => {
    const address = await listening(tlsServer());
    const trusting = { TEMPORAL_TLS_SERVER_CA_CERT_PATH: SELF_SIGNED };
    const error = await diagnose(optionsFor(address, trusting));
    assert.match(error.message, /not trusted here \(ERR_TLS_CERT_ALTNAME_INVALID\)/);
    const named = { ...trusting, TEMPORAL_TLS_SERVER_NAME: 'temporal.test' };
    const other = await diagnose(optionsFor(address, named));
    assert.match(other.message, /does not answer as a Temporal server/);
  });

  it('says that something else listens', async () => {
    const error = await diagnose(optionsFor(await listening(plainServer())));
    assert.match(error.message, /accepts connections but does not answer as a Temporal server/);
  });
});
