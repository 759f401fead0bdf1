import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import fc from 'fast-check';
import { ComportaError } from '../../src/errors';
import { localSecretStore } from '../../src/pipeline/secrets';
import { encryptionCodec, loadEncryption } from '../../src/temporal/encryption';

const key = (name: string) => ({ name, key: randomBytes(32) });
const payloadOf = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);
const valueOf = (payload: Payload | undefined): unknown =>
  defaultPayloadConverter.fromPayload(payload!);
const text = (payload: Payload) =>
  Buffer.concat([
    ...Object.values(payload.metadata ?? {}).map((bytes) => Buffer.from(bytes)),
    Buffer.from(payload.data ?? []),
  ]).toString('latin1');

describe('the encryption of payloads', () => {
  it('gives back what was encrypted, whatever it is', async () => {
    const codec = encryptionCodec([key('a')]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue()), async (values) => {
        const encrypted = await codec.encode(values.map(payloadOf));
        const decrypted = (await codec.decode(encrypted)).map(valueOf);
        assert.deepEqual(decrypted, JSON.parse(JSON.stringify(values)));
      }),
      { seed: 44 },
    );
  });

  it('hides the value and what it is, and never looks the same twice', async () => {
    const codec = encryptionCodec([key('a')]);
    const [first, second] = await codec.encode([payloadOf('orders'), payloadOf('orders')]);
    for (const payload of [first!, second!]) {
      assert.doesNotMatch(text(payload), /orders|json/);
    }
    assert.notDeepEqual(first?.data, second?.data);
  });

  it('opens what older keys encrypted, and encrypts with the first', async () => {
    const [old, current] = [key('old'), key('current')];
    const before = await encryptionCodec([old]).encode([payloadOf(1)]);
    const codec = encryptionCodec([current, old]);
    assert.equal(valueOf((await codec.decode(before))[0]), 1);
    const after = await codec.encode([payloadOf(2)]);
    assert.equal(valueOf((await encryptionCodec([current]).decode(after))[0]), 2);
    await assert.rejects(encryptionCodec([old]).decode(after), {
      message:
        'a payload needs the key "current" — add it to COMPORTA_PAYLOAD_KEYS, behind the one that encrypts',
    });
  });

  it('leaves payloads alone that are not encrypted', async () => {
    const plain = payloadOf({ batch: 'b1' });
    assert.deepEqual(await encryptionCodec([key('a')]).decode([plain]), [plain]);
  });

  it('refuses what was changed, cut, or encrypted by another key of the same name', async () => {
    const codec = encryptionCodec([key('a')]);
    const [payload] = await codec.encode([payloadOf('orders')]);
    const data = Buffer.from(payload!.data!);
    for (let at = 0; at < data.length; at++) {
      const changed = Buffer.from(data);
      changed[at]! ^= 1;
      await assert.rejects(codec.decode([{ ...payload!, data: changed }]), ComportaError);
    }
    for (const length of [0, 5, 12, 20, data.length - 1]) {
      const cut = { ...payload!, data: data.subarray(0, length) };
      await assert.rejects(codec.decode([cut]), ComportaError, `cut to ${length}`);
    }
    await assert.rejects(encryptionCodec([key('a')]).decode([payload!]), /does not open/);
  });
});

describe('COMPORTA_PAYLOAD_KEYS', () => {
  const KEY = randomBytes(32).toString('base64');
  const load = (list: string | undefined, more: NodeJS.ProcessEnv = {}) => {
    const environment = { ...more, ...(list === undefined ? {} : { COMPORTA_PAYLOAD_KEYS: list }) };
    return loadEncryption(environment, localSecretStore(environment));
  };

  it('is optional', async () => {
    assert.equal(await load(undefined), undefined);
    assert.equal(await load(' '), undefined);
  });

  it('names keys, the one that encrypts first', async () => {
    const environment = { NEW: KEY, OLD: randomBytes(32).toString('base64') };
    const codec = await load('new=env:NEW, old=env:OLD', environment);
    const [payload] = await codec!.encode([payloadOf(1)]);
    assert.equal(Buffer.from(payload!.metadata!['key-id']!).toString(), 'new');
  });

  it('says what is wrong with it, and never what a key is', async () => {
    const environment = { KEY, SHORT: 'c2VjcmV0', WORDS: 'a secret phrase' };
    for (const [list, problem] of [
      ['a', /holds something other than name=env:NAME/],
      [`a=${KEY}`, /holds something other than name=env:NAME/],
      ['a=env:KEY,a=env:KEY', /names a key twice/],
      ['a=env:SHORT', /: key "a" is not 32 bytes in base64 — make one with: openssl rand/],
      ['a=env:WORDS', /is not 32 bytes/],
      ['a=env:ABSENT', /secret env:ABSENT is not set/],
      ['a=file:/no/such/file', /secret file:\/no\/such\/file cannot be read/],
    ] as const) {
      const error: unknown = await load(list, environment).catch((thrown: unknown) => thrown);
      assert.ok(error instanceof ComportaError, list);
      assert.match(error.message, problem);
      assert.ok(!error.message.includes(KEY) && !error.message.includes('secret phrase'));
    }
  });
});
