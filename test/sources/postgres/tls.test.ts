import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseConnection, TlsSettings } from '../../../src/pipeline/pipeline';
import { tlsAttempts } from '../../../src/sources/postgres/tls';

function connection(tls: TlsSettings): DatabaseConnection {
  return {
    type: 'postgres',
    name: 'shop',
    host: 'db.example',
    port: 5432,
    user: 'loader',
    database: 'shop',
    tls,
    connectTimeoutMs: 1_000,
    silenceTimeoutMs: 15_000,
  };
}

describe('TLS settings for PostgreSQL', () => {
  it('follow the modes of libpq', async () => {
    assert.deepEqual(await tlsAttempts(connection({ mode: 'disable' })), [false]);
    const noProof = { rejectUnauthorized: false };
    assert.deepEqual(await tlsAttempts(connection({ mode: 'prefer' })), [noProof, false]);
    assert.deepEqual(await tlsAttempts(connection({ mode: 'require' })), [noProof]);
    const [authority] = await tlsAttempts(connection({ mode: 'verify-ca' }));
    assert.ok(typeof authority === 'object' && authority.rejectUnauthorized);
    assert.equal(authority.checkServerIdentity?.('other.example', {} as never), undefined);
    assert.deepEqual(await tlsAttempts(connection({ mode: 'verify-full' })), [
      { rejectUnauthorized: true },
    ]);
  });

  it('read the files, and name the one that cannot be read', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'comporta-tls-'));
    const path = (name: string) => join(directory, name);
    try {
      for (const name of ['ca', 'certificate', 'key']) await writeFile(path(name), `${name} PEM`);
      const files = { ca: path('ca'), certificate: path('certificate'), key: path('key') };
      assert.deepEqual(await tlsAttempts(connection({ mode: 'verify-full', ...files })), [
        { rejectUnauthorized: true, ca: 'ca PEM', cert: 'certificate PEM', key: 'key PEM' },
      ]);
      await assert.rejects(
        tlsAttempts(connection({ mode: 'require', ...files, key: path('absent') })),
        { code: 'ConfigurationInvalid', message: /connection shop: tls.key cannot be read/ },
      );
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
