import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { SecretReference } from '../pipeline/pipeline';
import { referenceText, withoutNewline } from '../pipeline/secrets';
import { awsSecretError, invalidSecret } from './errors';

type Reference = Extract<SecretReference, { from: 'asm' }>;

export type ReadSecret = (reference: Reference) => Promise<string>;

const CONNECT_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;

/**
 * AWS Secrets Manager, with the SDK's own chain of credentials. An ARN names its region; for a name
 * the SDK's settings do.
 */
export function awsSecrets(): ReadSecret {
  const clients = new Map<string | undefined, SecretsManagerClient>();
  const clientFor = (region: string | undefined) => {
    const client =
      clients.get(region) ??
      new SecretsManagerClient({
        requestHandler: {
          connectionTimeout: CONNECT_TIMEOUT_MS,
          requestTimeout: REQUEST_TIMEOUT_MS,
          throwOnRequestTimeout: true,
        },
        ...(region === undefined ? {} : { region }),
      });
    clients.set(region, client);
    return client;
  };
  return async (reference) => {
    const text = referenceText(reference);
    let value: string;
    try {
      const input = { SecretId: reference.id };
      const answer = await clientFor(regionOf(reference.id)).send(new GetSecretValueCommand(input));
      value = answer.SecretString ?? Buffer.from(answer.SecretBinary ?? []).toString('utf8');
    } catch (error) {
      throw awsSecretError(error, text);
    }
    return withoutNewline(reference.key === undefined ? value : member(value, reference.key, text));
  };
}

function regionOf(id: string): string | undefined {
  return /^arn:[^:]*:secretsmanager:([^:]+):/.exec(id)?.[1];
}

/** What JSON.parse says of a text may repeat some of it: nothing of that goes into an error. */
function member(value: string, key: string, text: string): string {
  let members: unknown;
  try {
    members = JSON.parse(value);
  } catch {
    throw invalidSecret(text, 'is not JSON');
  }
  const found =
    typeof members === 'object' && members !== null
      ? (members as Record<string, unknown>)[key]
      : undefined;
  if (typeof found === 'string') return found;
  if (typeof found === 'number') return String(found);
  throw invalidSecret(text, 'has no text or number under this key');
}
