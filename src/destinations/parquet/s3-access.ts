import { S3Client, type PutObjectCommandInput } from '@aws-sdk/client-s3';
import { ComportaError } from '../../errors';
import type { S3Connection } from '../../pipeline/pipeline';
import type { SecretStore } from '../../pipeline/secrets';
import { readTlsFiles } from '../../tls-files';
import { s3Error } from './errors';
import { heldSecrets } from './held-secrets';
import { fileTlsAgent } from './s3-agent';

const CONNECT_TIMEOUT_MS = 10_000;
/** For one request: a part of 8 MiB, or an object of a few. */
const REQUEST_TIMEOUT_MS = 120_000;
/** The SDK's own, with its growing pauses, for throttling, cut connections and server errors. */
const MAXIMUM_ATTEMPTS = 5;

/** A bucket, and how to speak to it. */
export interface S3Access {
  readonly client: S3Client;
  readonly bucket: string;
  /** `s3://bucket/prefix`. */
  readonly description: string;
  /** The key of a path of the lake, and back. */
  readonly key: (path: string) => string;
  readonly path: (key: string) => string;
  /** What a request that begins an object says of its encryption. */
  readonly encryption: Pick<PutObjectCommandInput, 'ServerSideEncryption' | 'SSEKMSKeyId'>;
  /** Runs requests; whatever they throw comes out as Comporta's own error. */
  readonly attempt: <Result>(action: string, body: () => Promise<Result>) => Promise<Result>;
}

export function createS3Access(connection: S3Connection, secrets: SecretStore): S3Access {
  const { bucket, prefix, region, endpoint, forcePathStyle, name, tls, kmsKey } = connection;
  const root = prefix === '' ? '' : `${prefix}/`;
  const description = prefix === '' ? `s3://${bucket}` : `s3://${bucket}/${prefix}`;
  const secretKeys = secretKeysOf(connection, secrets);
  const client = new S3Client({
    region,
    forcePathStyle,
    maxAttempts: MAXIMUM_ATTEMPTS,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
      ...(tls === undefined ? {} : { httpsAgent: fileTlsAgent(() => readTlsFiles(name, tls)) }),
    },
    ...(endpoint === undefined ? {} : { endpoint }),
    // Said to have expired, so that the SDK asks for each request: which keys are good is known here.
    ...(secretKeys === undefined
      ? {}
      : {
          credentials: async () => ({ ...(await secretKeys.get()), expiration: new Date(0) }),
        }),
  });
  return {
    client,
    bucket,
    description,
    key: (path) => `${root}${path}`,
    path: (key) => key.slice(root.length),
    encryption:
      kmsKey === undefined ? {} : { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: kmsKey },
    attempt(action, body) {
      const told = async () => {
        try {
          return await body();
        } catch (error) {
          throw s3Error(error, { action, connection: name, bucket, description });
        }
      };
      return secretKeys === undefined ? told() : secretKeys.use(told);
    },
  };
}

/** Read when the first request is signed, not earlier. Undefined: the SDK's own chain decides. */
function secretKeysOf({ accessKeyId, secretAccessKey, name }: S3Connection, secrets: SecretStore) {
  if (accessKeyId === undefined && secretAccessKey === undefined) return undefined;
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new ComportaError(
      'ConfigurationInvalid',
      `connection "${name}" has only one half of its credentials`,
      { remedy: 'set both accessKeyId and secretAccessKey, or neither' },
    );
  }
  return heldSecrets(async () => ({
    accessKeyId: await secrets.read(accessKeyId),
    secretAccessKey: await secrets.read(secretAccessKey),
  }));
}
