import assert from 'node:assert/strict';
import { lakeAddress } from '../../../src/engines/spark/lake-address';
import type { GcsConnection, LakeConnection, S3Connection } from '../../../src/pipeline/pipeline';

const S3: S3Connection = {
  type: 's3',
  ...{ name: 'lake', bucket: 'b', prefix: 'a b/c', region: 'sa-east-1', forcePathStyle: false },
};
const GCS: GcsConnection = { type: 'gcs', name: 'lake', bucket: 'b', prefix: '' };
const KEY = { from: 'env', name: 'ID' } as const;
const SECRET = { from: 'asm', id: 'lake', key: 'secret' } as const;

const addressOf = (connection: LakeConnection) =>
  lakeAddress(
    { connection, settings: { compression: 'zstd', zstdLevel: 1 } },
    '_staging/é/request.json',
  );

describe('the address of a lake for a job', () => {
  it('names a file of any kind of lake, and secrets by reference alone', () => {
    assert.equal(
      addressOf({ type: 'file', name: 'lake', path: '/data/a b' }),
      'file:///data/a%20b/_staging/%C3%A9/request.json',
    );
    assert.equal(
      addressOf({
        ...{ ...S3, endpoint: 'http://127.0.0.1:9000' },
        ...{ accessKeyId: KEY, secretAccessKey: SECRET },
      }),
      's3://b/a%20b/c/_staging/%C3%A9/request.json?region=sa-east-1&endpoint=http%3A%2F%2F127.0.0.1%3A9000&accessKeyId=env%3AID&secretAccessKey=asm%3Alake%23secret',
    );
    assert.equal(addressOf(GCS), 'gs://b/_staging/%C3%A9/request.json?');
  });

  it('leaves the credentials to the chain of the platform where none are named', () => {
    assert.equal(addressOf(S3), 's3://b/a%20b/c/_staging/%C3%A9/request.json?region=sa-east-1');
  });

  for (const [key, connection] of [
    ['tls', { ...S3, tls: { ca: '/ca.pem' } }],
    ['kmsKey', { ...S3, kmsKey: 'alias/lake' }],
    ['kmsKey', { ...GCS, kmsKey: 'projects/p/locations/l/keyRings/r/cryptoKeys/k' }],
    ['credentials', { ...GCS, credentials: KEY }],
  ] as const) {
    it(`is refused where a bucket of ${connection.type} has ${key}, which a job would not heed`, () => {
      assert.throws(() => addressOf(connection), {
        code: 'ConfigurationInvalid',
        message: new RegExp(`does not honour ${key} — leave ${key} out and set the bucket`),
      });
    });
  }
});
