import { SecretManagerServiceClient } from '@google-cloud/secret-manager';
import { ComportaError } from '../errors';
import { plainServer } from '../google/plain-server';
import { openedOnce } from '../google/sign-in';
import type { SecretReference } from '../pipeline/pipeline';
import { referenceText, withoutNewline } from '../pipeline/secrets';
import { googleSecretError, invalidSecret } from './errors';

type Reference = Extract<SecretReference, { from: 'gsm' }>;

export type ReadVersion = (reference: Reference) => Promise<string>;

/** For one answer, the client's own repetitions included. */
const TIMEOUT_MS = 20_000;

/**
 * Google Secret Manager, with the application default credentials.
 * @param endpoint of another place than Google's own, such as a private one: `https://host`. One of
 *   http is spoken to without TLS and without credentials.
 * @throws ComportaError ConfigurationInvalid for an endpoint that is none.
 */
export function googleSecrets(endpoint: string | undefined): ReadVersion {
  const options = endpoint === undefined ? {} : clientOptions(endpoint);
  // Its idle connection keeps no process alive.
  const opened = openedOnce(() => new SecretManagerServiceClient(options));
  return async (reference) => {
    const text = referenceText(reference);
    let bytes: Uint8Array | string | null | undefined;
    try {
      const client = await opened.get();
      const [answer] = await client.accessSecretVersion(
        { name: reference.version },
        { timeout: TIMEOUT_MS },
      );
      bytes = answer.payload?.data;
    } catch (error) {
      throw googleSecretError(error, text);
    }
    if (bytes === null || bytes === undefined) throw invalidSecret(text, 'holds nothing');
    return withoutNewline(Buffer.from(bytes as Uint8Array).toString('utf8'));
  };
}

function clientOptions(endpoint: string) {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new ComportaError(
      'ConfigurationInvalid',
      'COMPORTA_SECRET_MANAGER_ENDPOINT is not an http or https URL',
      { remedy: 'write scheme and host, such as https://secretmanager.googleapis.com' },
    );
  }
  return url.protocol === 'https:'
    ? { apiEndpoint: url.hostname, port: Number(url.port || 443) }
    : plainServer(url);
}
