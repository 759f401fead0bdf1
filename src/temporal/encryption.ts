import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import { ComportaError } from '../errors';
import { secretReference, type SecretStore } from '../pipeline/secrets';

/** What stands in front of an encrypted payload; the key's name says which one opens it. */
const ENCODING = 'binary/encrypted';
const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export interface EncryptionKey {
  readonly name: string;
  readonly key: Buffer;
}

/**
 * Encrypts what Temporal stores of workflows: arguments, results, heartbeats, details. Ids, types,
 * search attributes and the messages of failures stay readable, for lists and filters need them.
 *
 * AES-256-GCM with a nonce per payload; a payload that was changed on its way is refused. The first
 * key encrypts, all decrypt, so a key is replaced by putting its successor before it, and dropped
 * when the namespace's retention has passed.
 */
export function encryptionCodec(keys: readonly EncryptionKey[]): PayloadCodec {
  const [current] = keys;
  if (current === undefined) throw new RangeError('there is no key');
  const byName = new Map(keys.map(({ name, key }) => [name, key]));
  return {
    encode: (payloads) => Promise.resolve(payloads.map((payload) => encrypt(payload, current))),
    // Not before the caller has the promise: what is thrown belongs into it.
    decode: async (payloads) => Promise.resolve(payloads.map((each) => decrypt(each, byName))),
  };
}

function encrypt(payload: Payload, { name, key }: EncryptionKey): Payload {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce);
  const plain = temporal.api.common.v1.Payload.encode(payload).finish();
  const data = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  return { metadata: { encoding: Buffer.from(ENCODING), 'key-id': Buffer.from(name) }, data };
}

/** Payloads from before the encryption was turned on come back as they are. */
function decrypt(payload: Payload, keys: ReadonlyMap<string, Buffer>): Payload {
  const { metadata, data } = payload;
  if (textOf(metadata?.['encoding']) !== ENCODING) return payload;
  const name = textOf(metadata?.['key-id']);
  const key = keys.get(name);
  if (key === undefined) {
    throw new ComportaError('ConfigurationInvalid', `a payload needs the key "${name}"`, {
      remedy: 'add it to COMPORTA_PAYLOAD_KEYS, behind the one that encrypts',
    });
  }
  const bytes = Buffer.from(data ?? []);
  try {
    const nonce = bytes.subarray(0, NONCE_BYTES);
    const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    const plain = [decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()];
    return temporal.api.common.v1.Payload.decode(Buffer.concat(plain));
  } catch (error) {
    throw new ComportaError('ConfigurationInvalid', `a payload does not open with key "${name}"`, {
      remedy: 'check that the key is the one that encrypted it',
      cause: error,
    });
  }
}

function textOf(bytes: Uint8Array | null | undefined): string {
  return Buffer.from(bytes ?? []).toString('utf8');
}

/**
 * The codec that COMPORTA_PAYLOAD_KEYS asks for: `name=reference` of each key, separated by commas,
 * the one that encrypts first; a reference is one to a secret as in a pipeline file, and what it holds
 * 32 bytes in base64. Undefined when the variable is not set: nothing is encrypted.
 * @throws ComportaError ConfigurationInvalid, without any part of a key.
 */
export async function loadEncryption(
  environment: NodeJS.ProcessEnv,
  secrets: SecretStore,
): Promise<PayloadCodec | undefined> {
  const list = environment['COMPORTA_PAYLOAD_KEYS']?.trim();
  if (list === undefined || list === '') return undefined;
  const keys: EncryptionKey[] = [];
  for (const entry of list.split(',')) keys.push(await readKey(entry.trim(), secrets));
  const names = keys.map(({ name }) => name);
  if (new Set(names).size < names.length) {
    throw invalid('names a key twice', 'give each key a name of its own');
  }
  return encryptionCodec(keys);
}

const ENTRY = /^([A-Za-z0-9._-]{1,64})=((?:env|file|gsm|asm):\S.*)$/;

async function readKey(entry: string, secrets: SecretStore): Promise<EncryptionKey> {
  const [, name, reference] = ENTRY.exec(entry) ?? [];
  if (name === undefined || reference === undefined) {
    throw invalid(
      'holds something other than name=env:NAME, name=file:PATH, name=gsm:… or name=asm:…',
      'write for instance 2026=file:/run/secrets/payload-key',
    );
  }
  const value = await secrets.read(secretReference(reference, process.cwd()));
  const key = Buffer.from(value.trim(), 'base64');
  if (key.length !== KEY_BYTES) {
    throw invalid(
      `: key "${name}" is not 32 bytes in base64`,
      'make one with: openssl rand -base64 32',
    );
  }
  return { name, key };
}

function invalid(problem: string, remedy: string): ComportaError {
  const separator = problem.startsWith(':') ? '' : ' ';
  return new ComportaError('ConfigurationInvalid', `COMPORTA_PAYLOAD_KEYS${separator}${problem}`, {
    remedy,
  });
}
