import assert from 'node:assert/strict';
import { defaultPayloadConverter } from '@temporalio/common';
import { startCodecServer } from '../../src/codec-server/server';
import type { HttpListener } from '../../src/http-listener';
import { encryptionCodec } from '../../src/temporal/encryption';

const UI = 'http://web.ui:8233';
const KEY = { name: 'k', key: Buffer.alloc(32, 7) };
const codec = encryptionCodec([KEY]);

interface Json {
  readonly payloads: { readonly metadata: Record<string, string>; readonly data: string }[];
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('the codec server', () => {
  let server: HttpListener;
  afterEach(() => server?.close());

  const start = async (token?: string) => {
    const options = { host: '127.0.0.1', port: 0, origins: [UI] };
    server = await startCodecServer(codec, {
      ...options,
      ...(token === undefined ? {} : { token }),
    });
  };
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${server.port}${path}`, { method: 'POST', ...init });

  const PLAIN: Json = {
    payloads: [
      { metadata: { encoding: base64('json/plain') }, data: base64('{"table":"orders"}') },
    ],
  };

  it('encrypts and decrypts, under any path before the verb', async () => {
    await start();
    const encoded = await ask('/encode', { body: JSON.stringify(PLAIN) });
    const encrypted = (await encoded.json()) as Json;
    assert.equal(
      Buffer.from(encrypted.payloads[0]!.metadata['encoding']!, 'base64').toString(),
      'binary/encrypted',
    );
    const decoded = await ask('/default/decode', { body: JSON.stringify(encrypted) });
    assert.deepEqual(await decoded.json(), PLAIN);
  });

  it('opens what a worker encrypted', async () => {
    await start();
    const [payload] = await codec.encode([defaultPayloadConverter.toPayload('orders')]);
    const metadata = Object.entries(payload!.metadata ?? {}).map(([name, bytes]) => [
      name,
      Buffer.from(bytes).toString('base64'),
    ]);
    const body = JSON.stringify({
      payloads: [
        {
          metadata: Object.fromEntries(metadata) as Record<string, string>,
          data: Buffer.from(payload!.data!).toString('base64'),
        },
      ],
    });
    const { payloads } = (await (await ask('/decode', { body })).json()) as Json;
    assert.equal(Buffer.from(payloads[0]!.data, 'base64').toString(), '"orders"');
  });

  it('lets the pages of the Web UI in, and no others', async () => {
    await start();
    const preflight = await ask('/decode', { method: 'OPTIONS', headers: { origin: UI } });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.get('access-control-allow-origin'), UI);
    assert.match(preflight.headers.get('access-control-allow-headers') ?? '', /x-namespace/);
    const body = JSON.stringify(PLAIN);
    const own = await ask('/encode', { body, headers: { origin: UI } });
    assert.equal(own.headers.get('access-control-allow-origin'), UI);
    for (const method of ['POST', 'OPTIONS']) {
      const init = { method, headers: { origin: 'http://evil.example' } };
      const foreign = await ask('/encode', method === 'POST' ? { ...init, body } : init);
      assert.equal(foreign.status, 403);
      assert.equal(foreign.headers.get('access-control-allow-origin'), null);
    }
  });

  it('asks for the token where there is one', async () => {
    await start('token-of-the-team');
    const body = JSON.stringify(PLAIN);
    for (const authorization of ['', 'Bearer wrong', 'Bearer token-of-the-teem', 'token']) {
      assert.equal((await ask('/encode', { body, headers: { authorization } })).status, 401);
    }
    const authorization = 'Bearer token-of-the-team';
    assert.equal((await ask('/encode', { body, headers: { authorization } })).status, 200);
  });

  it('refuses what it cannot read, and says why', async () => {
    await start();
    for (const [body, problem] of [
      ['', 'the body is no JSON'],
      ['[]', 'the body has no list of payloads'],
      ['{"payloads":[{"data":5}]}', 'a payload is not as it should be'],
      ['{"payloads":[{"metadata":{"encoding":1}}]}', 'a payload is not as it should be'],
    ]) {
      const response = await ask('/decode', { body });
      assert.deepEqual([response.status, await response.text()], [400, problem]);
    }
    const [foreign] = await encryptionCodec([{ name: 'other', key: Buffer.alloc(32, 1) }]).encode([
      defaultPayloadConverter.toPayload(1),
    ]);
    const metadata = { encoding: base64('binary/encrypted'), 'key-id': base64('other') };
    const payloads = [{ metadata, data: Buffer.from(foreign!.data!).toString('base64') }];
    const unknown = await ask('/decode', { body: JSON.stringify({ payloads }) });
    assert.equal(unknown.status, 422);
    assert.match(await unknown.text(), /needs the key "other"/);
    assert.equal((await ask('/decode', { method: 'GET' })).status, 404);
    assert.equal((await ask('/')).status, 404);
  });
});
