import type { DestinationEndpoint } from '../../endpoints';
import { ComportaError } from '../../errors';
import type { SecretReference } from '../../pipeline/pipeline';

/**
 * How the job names a file of a lake, and what it needs to reach it: no secret, but references to
 * them. `path` is relative to the lake's root.
 */
export function lakeAddress({ connection }: DestinationEndpoint, path: string): string {
  switch (connection.type) {
    case 'file':
      return `file://${encodePath(`${connection.path}/${path}`)}`;
    case 's3': {
      const { bucket, prefix, region, endpoint, accessKeyId, secretAccessKey, tls } = connection;
      if (tls !== undefined) {
        throw new ComportaError(
          'ConfigurationInvalid',
          `connection ${connection.name}: a Spark job knows no certificates of its own`,
          { remedy: 'leave tls out, or use the engine embedded' },
        );
      }
      const query = new URLSearchParams({
        region,
        ...(endpoint === undefined ? {} : { endpoint }),
        ...(accessKeyId === undefined ? {} : { accessKeyId: referenceText(accessKeyId) }),
        ...(secretAccessKey === undefined
          ? {}
          : { secretAccessKey: referenceText(secretAccessKey) }),
      });
      const key = prefix === '' ? path : `${prefix}/${path}`;
      return `s3://${bucket}/${encodePath(key)}?${query.toString()}`;
    }
  }
}

function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

function referenceText(reference: SecretReference): string {
  return reference.from === 'env' ? `env:${reference.name}` : `file:${reference.path}`;
}
