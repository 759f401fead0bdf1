import { DEFAULT_REGION } from '../defaults';
import { defined } from '../defined';
import type { Partly } from '../issues';
import type { FileConnection, GcsConnection, S3Connection } from '../pipeline';
import { CLOUD_KMS_KEY } from '../values';
import type { Input } from './input';
import type { Place } from './place';
import { tlsFiles } from './tls';

export function folder(place: Place, name: string, input: Input<'file'>): Partly<FileConnection> {
  return defined({ type: input.type, name, path: place.file(place.text('path', input.path)) });
}

/** What buckets have in common, wherever they are. */
function bucket(place: Place, input: Input<'s3' | 'gcs'>, keysGoInto: string) {
  const text = (key: 'bucket' | 'prefix' | 'kmsKey') => place.text(key, input[key]);
  const fix = `write scheme, host and port, such as https://storage.example.com:9000; keys go into ${keysGoInto}`;
  return {
    bucket: text('bucket'),
    prefix: (text('prefix') ?? '').replace(/^\/+|\/+$/g, ''),
    endpoint: place.endpoint(input.endpoint, fix),
    kmsKey: text('kmsKey'),
  };
}

export function s3(place: Place, name: string, input: Input<'s3'>): Partly<S3Connection> {
  const common = bucket(place, input, 'accessKeyId and secretAccessKey');
  if (!('region' in input) && !('endpoint' in input)) {
    place.mistake(
      'region',
      'is missing',
      `add \`region:\` under connections.${name}; only with \`endpoint\` it may be left out`,
    );
  }
  place.inPairs(input, ['accessKeyId', 'secretAccessKey']);
  if ('tls' in input && common.endpoint?.startsWith('http:') === true) {
    place.mistake('tls', 'has no effect with an endpoint of http', 'write https:// in `endpoint`');
  }
  return defined({
    type: input.type,
    name,
    ...common,
    region: place.text('region', input.region) ?? DEFAULT_REGION,
    forcePathStyle: input.forcePathStyle ?? false,
    accessKeyId: place.secret(input.accessKeyId),
    secretAccessKey: place.secret(input.secretAccessKey),
    tls: input.tls === undefined ? undefined : tlsFiles(place.section('tls'), input.tls),
  });
}

export function gcs(place: Place, name: string, input: Input<'gcs'>): Partly<GcsConnection> {
  const { type, credentials } = input;
  const common = bucket(place, input, 'credentials');
  if (common.kmsKey !== undefined && !CLOUD_KMS_KEY.test(common.kmsKey)) {
    const fix = 'write projects/…/locations/…/keyRings/…/cryptoKeys/…';
    place.mistake('kmsKey', 'is not the name of a key of Cloud KMS', fix);
  }
  if (credentials !== undefined && common.endpoint?.startsWith('http:') === true) {
    const fix = 'write https:// in `endpoint`, or remove them';
    place.mistake('credentials', 'are sent to no endpoint of http', fix);
  }
  return defined({ type, name, ...common, credentials: place.secret(credentials) });
}
