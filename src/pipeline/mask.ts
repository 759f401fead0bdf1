import { createHash, createHmac } from 'node:crypto';
import { ComportaError } from '../errors';
import type { Mask, SecretReference } from './pipeline';
import { referenceText, type SecretStore } from './secrets';

/** Turns the text of one value (UTF-8) into what the lake may hold. NULL never comes here. */
export type Masker = (value: Buffer) => Buffer | string;

/** An unset variable reads as empty in many deployments, and an empty key hides nothing. */
async function readKey(secrets: SecretStore, reference: SecretReference): Promise<Buffer> {
  const value = await secrets.read(reference);
  if (value === '') {
    throw new ComportaError(
      'ConfigurationInvalid',
      `the masking secret ${referenceText(reference)} is empty`,
      { remedy: 'give it a long random value, for example the output of: openssl rand -hex 32' },
    );
  }
  return Buffer.from(value, 'utf8');
}

function partially(keepStart: number, keepEnd: number): Masker {
  return (value) => {
    const characters = [...value.toString('utf8')];
    const hidden = characters.length - keepStart - keepEnd;
    if (hidden <= 0) return '*'.repeat(characters.length);
    const start = characters.slice(0, keepStart).join('');
    return start + '*'.repeat(hidden) + characters.slice(keepStart + hidden).join('');
  };
}

/**
 * Makes the function that masks one column; secrets are read here, once. Characters are Unicode
 * code points. A value with no more characters than `partial` would keep becomes all `*`.
 * Throws ConfigurationInvalid for a secret that is absent or empty.
 */
export async function createMasker(mask: Mask, secrets: SecretStore): Promise<Masker> {
  switch (mask.method) {
    case 'sha256': {
      const salted = createHash('sha256').update(await readKey(secrets, mask.salt));
      return (value) => salted.copy().update(value).digest('hex');
    }
    case 'hmac': {
      const keyed = await readKey(secrets, mask.key);
      return (value) => createHmac('sha256', keyed).update(value).digest('hex');
    }
    case 'partial':
      return partially(mask.keepStart, mask.keepEnd);
    case 'redact':
      return () => mask.text;
  }
}
