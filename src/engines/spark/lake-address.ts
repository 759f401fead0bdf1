import type { DestinationEndpoint } from '../../endpoints';
import { ComportaError } from '../../errors';
import { referenceText } from '../../pipeline/secrets';

/**
 * How the job names a file of a lake, and what it needs to reach it: no secret, but references to
 * them. `path` is relative to the lake's root. Throws ConfigurationInvalid where the lake's connection
 * asks for what jobs cannot do.
 */
export function lakeAddress({ connection }: DestinationEndpoint, path: string): string {
  switch (connection.type) {
    case 'file':
      return `file://${encodePath(`${connection.path}/${path}`)}`;
    case 's3': {
      const { bucket, prefix, region, endpoint, accessKeyId, secretAccessKey, tls } = connection;
      if (tls !== undefined) throw unknownToJobs(connection.name, 'tls');
      if (connection.kmsKey !== undefined) throw unknownToJobs(connection.name, 'kmsKey');
      const query = new URLSearchParams({
        region,
        ...(endpoint === undefined ? {} : { endpoint }),
        ...(accessKeyId === undefined ? {} : { accessKeyId: referenceText(accessKeyId) }),
        ...(secretAccessKey === undefined
          ? {}
          : { secretAccessKey: referenceText(secretAccessKey) }),
      });
      return `s3://${bucket}/${keyOf(prefix, path)}?${query.toString()}`;
    }
    case 'gcs': {
      const { bucket, prefix, endpoint, credentials, kmsKey } = connection;
      if (credentials !== undefined) throw unknownToJobs(connection.name, 'credentials');
      if (kmsKey !== undefined) throw unknownToJobs(connection.name, 'kmsKey');
      const query = new URLSearchParams(endpoint === undefined ? {} : { endpoint });
      return `gs://${bucket}/${keyOf(prefix, path)}?${query.toString()}`;
    }
  }
}

/** What the job's own clients of storage cannot be told, or must not be. */
function unknownToJobs(connection: string, key: string): ComportaError {
  return new ComportaError(
    'ConfigurationInvalid',
    `connection ${connection}: a Spark job does not honour ${key}`,
    {
      remedy: `leave ${key} out and set the bucket or the platform up for it, or use the engine embedded`,
    },
  );
}

function keyOf(prefix: string, path: string): string {
  return encodePath(prefix === '' ? path : `${prefix}/${path}`);
}

function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}
