import { IdempotencyStrategy, Storage, type Bucket, type File } from '@google-cloud/storage';
import { ComportaError } from '../../errors';
import type { GcsConnection } from '../../pipeline/pipeline';
import { referenceText, type SecretStore } from '../../pipeline/secrets';
import { gcsError } from './gcs-errors';
import { heldSecrets } from './held-secrets';

/** For one request: an object of a few MiB. */
const REQUEST_TIMEOUT_MS = 120_000;
/** The client's own repetitions, for 408, 429, 5xx and cut connections, with growing pauses. */
const RETRIES = {
  autoRetry: true,
  maxRetries: 3,
  maxRetryDelay: 16,
  totalTimeout: 120,
  // All that is asked for here may be asked for twice: `replace` recognises its own object.
  idempotencyStrategy: IdempotencyStrategy.RetryAlways,
};

/** A bucket of Google Cloud Storage, and how to speak to it. */
export interface GcsAccess {
  /** `gs://bucket/prefix`. */
  readonly description: string;
  /** The object's name of a path of the lake, and back. */
  readonly name: (path: string) => string;
  readonly path: (name: string) => string;
  /** The object at a path, with the connection's key for what is written there. */
  readonly file: (bucket: Bucket, path: string) => File;
  /** Runs requests; whatever they throw comes out as Comporta's own error. */
  readonly attempt: <Result>(
    action: string,
    body: (bucket: Bucket) => Promise<Result>,
  ) => Promise<Result>;
}

export function createGcsAccess(connection: GcsConnection, secrets: SecretStore): GcsAccess {
  const { bucket, prefix, name: connectionName, kmsKey } = connection;
  const root = prefix === '' ? '' : `${prefix}/`;
  const description = prefix === '' ? `gs://${bucket}` : `gs://${bucket}/${prefix}`;
  const name = (path: string) => `${root}${path}`;
  const storageOf = storages(connection);
  const keyFile = keyFileOf(connection, secrets);

  return {
    description,
    name,
    path: (objectName) => objectName.slice(root.length),
    file: (opened, path) =>
      opened.file(name(path), kmsKey === undefined ? {} : { kmsKeyName: kmsKey }),
    attempt(action, body) {
      const told = async () => {
        const opened = storageOf(await keyFile?.get()).bucket(bucket);
        try {
          return await body(opened);
        } catch (error) {
          throw gcsError(error, { action, connection: connectionName, description });
        }
      };
      return keyFile === undefined ? told() : keyFile.use(told);
    },
  };
}

/** The client for a key file's content, which is kept as long as that stays the same. */
function storages({ endpoint }: GcsConnection): (keyFile?: object) => Storage {
  let open: { readonly storage: Storage; readonly keyFile: object | undefined } | undefined;
  return (keyFile) => {
    if (open === undefined || open.keyFile !== keyFile) {
      const storage = new Storage({
        timeout: REQUEST_TIMEOUT_MS,
        retryOptions: RETRIES,
        // To an endpoint without TLS no token is sent: whoever listens could use it.
        ...(endpoint === undefined
          ? {}
          : { apiEndpoint: endpoint, useAuthWithCustomEndpoint: endpoint.startsWith('https:') }),
        ...(keyFile === undefined ? {} : { credentials: keyFile }),
      });
      open = { storage, keyFile };
    }
    return open.storage;
  };
}

/** Undefined: the application default credentials decide. */
function keyFileOf({ credentials, name }: GcsConnection, secrets: SecretStore) {
  if (credentials === undefined) return undefined;
  return heldSecrets(async () => {
    const text = await secrets.read(credentials);
    const keyFile = parsed(text);
    if (typeof keyFile === 'object' && keyFile !== null) return keyFile;
    throw new ComportaError(
      'ConfigurationInvalid',
      `the credentials of connection "${name}" (${referenceText(credentials)}) are no key file`,
      {
        remedy: 'let the secret hold the JSON of a service account’s key, as Google Cloud gives it',
      },
    );
  });
}

/** What JSON.parse says of a text may repeat some of it. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
