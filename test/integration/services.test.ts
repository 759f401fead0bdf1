import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
  type S3ServiceException,
} from '@aws-sdk/client-s3';
import { Client as TemporalClient, Connection } from '@temporalio/client';
import { createConnection, type Connection as MysqlConnection } from 'mysql2/promise';
import { Client as PostgresClient } from 'pg';
import { ensureTools } from '../../scripts/install-tools';
import { makeCertificates } from '../../scripts/services/certificates';
import { startGcs, type GcsFacts } from '../../scripts/services/gcs';
import { startMariadb } from '../../scripts/services/mariadb';
import { startMysql } from '../../scripts/services/mysql';
import { startPostgres } from '../../scripts/services/postgres';
import { isAlive } from '../../scripts/services/process-table';
import { startS3, type S3Facts } from '../../scripts/services/s3';
import type { NativeDatabaseService, NativeService } from '../../scripts/services/service';
import { startTemporal } from '../../scripts/services/temporal';
import { SEARCH_ATTRIBUTES } from '../../src/workflows/api';

describe('services', function () {
  this.timeout(60_000);

  before('install what is missing', async function () {
    this.timeout(15 * 60_000);
    await ensureTools();
  });

  describe('mariadb', () => {
    it('keeps its data over a restart and a kill', async () => {
      await survivesRestartAndKill(await startMariadb(), mysqlStore);
    });

    it('writes a binary log in row format unless told otherwise', async () => {
      await using(await startMariadb({ binaryLog: false }), async (service) => {
        assert.deepEqual(await mysqlRow(service, 'SELECT @@log_bin AS bin'), { bin: 0 });
        await service.restart(['--log-bin=binlog', '--server-id=1']);
        assert.deepEqual(await mysqlRow(service, 'SELECT @@log_bin AS bin, @@time_zone AS zone'), {
          bin: 1,
          zone: 'SYSTEM',
        });
      });
    });
  });

  describe('mysql', () => {
    it('keeps its data over a restart and a kill', async () => {
      await survivesRestartAndKill(await startMysql(), mysqlStore);
    });

    it('takes the user in by caching_sha2_password, with global transaction ids off', async () => {
      await using(await startMysql({ gtid: false }), async (service) => {
        const query =
          'SELECT @@gtid_mode AS gtid, plugin FROM mysql.user WHERE user = SUBSTRING_INDEX(CURRENT_USER(), "@", 1)';
        assert.deepEqual(await mysqlRow(service, query), {
          gtid: 'OFF',
          plugin: 'caching_sha2_password',
        });
      });
    });
  });

  describe('postgres', () => {
    for (const version of [17, 13] as const)
      it(`keeps its data over a restart and a kill (version ${version})`, async () => {
        await survivesRestartAndKill(await startPostgres({ version }), postgresStore);
      });

    it('takes settings and a certificate', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'comporta-certificates-'));
      try {
        const tls = await makeCertificates(folder);
        const settings = { track_commit_timestamp: 'on' };
        await using(await startPostgres({ tls, settings }), async (service) => {
          const query =
            "SELECT current_setting('track_commit_timestamp') AS tracks, ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
          assert.deepEqual(
            await postgresRow(service, query, { ssl: { rejectUnauthorized: false } }),
            {
              tracks: 'on',
              ssl: true,
            },
          );
        });
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  });

  describe('s3', () => {
    it('keeps its objects over a restart and a kill, and refuses to overwrite on request', async () => {
      await survivesRestartAndKill(await startS3(), objectStore);
    });
  });

  describe('gcs', () => {
    it('keeps its objects over a restart and a kill', async () => {
      await survivesRestartAndKill(await startGcs(), googleStore);
    });
  });

  describe('temporal', () => {
    it('keeps workflows over a restart and a kill where asked to, with their search attributes', async () => {
      await survivesRestartAndKill(await startTemporal({ persistent: true }), workflowStore);
    });

    it('has a Web UI unless headless', async () => {
      await using(await startTemporal(), async ({ uiUrl }) => {
        const page = await fetch(uiUrl!);
        assert.equal(page.status, 200);
        assert.match(await page.text(), /<html/i);
      });
      const headless = await startTemporal({ headless: true });
      assert.equal(headless.uiUrl, undefined);
      await headless.stop();
    });
  });

  describe('a folder of the caller', () => {
    it('is used again and left in place', async () => {
      const directory = await mkdtemp(join(tmpdir(), 'comporta-kept-'));
      try {
        await using(await startPostgres({ directory }), postgresStore.write);
        await using(await startPostgres({ directory }), async (service) => {
          assert.equal(await postgresStore.read(service), 'kept');
        });
        assert.ok((await readdir(directory)).includes('data'));
      } finally {
        await rm(directory, { recursive: true });
      }
    });
  });

  it('tell what the server logged when it does not start, and leave nothing', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'comporta-temporary-'));
    const usual = process.env['TMPDIR'];
    try {
      // PostgreSQL's own user has to get through.
      await chmod(folder, 0o711);
      process.env['TMPDIR'] = folder;
      await assert.rejects(startPostgres({ settings: { no_such_setting: '1' } }), {
        message:
          /postgres did not start: .*\n.*unrecognized configuration parameter "no_such_setting"/,
      });
      assert.deepEqual(await readdir(folder), []);
    } finally {
      if (usual === undefined) delete process.env['TMPDIR'];
      else process.env['TMPDIR'] = usual;
      await rm(folder, { recursive: true });
    }
  });
});

/** How a test writes one value to a service and reads it back. */
interface Store<Service> {
  readonly write: (service: Service) => Promise<void>;
  readonly read: (service: Service) => Promise<unknown>;
}

async function survivesRestartAndKill<Service extends NativeService>(
  service: Service,
  store: Store<NoInfer<Service>>,
): Promise<void> {
  const { port } = service;
  const firstPid = service.pid!;
  await using(service, async () => {
    await store.write(service);
    assert.equal(await store.read(service), 'kept');
    await service.restart();
    assert.notEqual(service.pid, firstPid);
    assert.equal(service.port, port);
    assert.equal(await store.read(service), 'kept');
    await service.kill9();
    assert.equal(service.pid, undefined);
    await service.restart();
    assert.equal(await store.read(service), 'kept');
  });
}

/** Stops the service afterwards, and checks that neither process nor folder is left. */
async function using<Service extends NativeService>(
  service: Service,
  use: (service: Service) => Promise<void>,
): Promise<void> {
  const kept = !service.directory.startsWith(join(tmpdir(), `comporta-${service.name}-`));
  let lastPid = service.pid!;
  try {
    await use(service);
    lastPid = service.pid!;
  } finally {
    await service.stop();
  }
  assert.equal(isAlive(lastPid), false);
  assert.equal(existsSync(service.directory), kept);
}

const mysqlStore: Store<NativeDatabaseService> = {
  write: (service) =>
    withMysql(service, async (connection) => {
      await connection.query("CREATE TABLE box (content VARCHAR(10)) SELECT 'kept' AS content");
    }),
  read: async (service) => (await mysqlRow(service, 'SELECT content FROM box'))['content'],
};

function mysqlRow(service: NativeDatabaseService, query: string): Promise<Record<string, unknown>> {
  return withMysql(service, async (connection) => {
    const [rows] = await connection.query(query);
    return { ...(rows as Record<string, unknown>[])[0] };
  });
}

async function withMysql<Result>(
  { host, port, user, password, database }: NativeDatabaseService,
  use: (connection: MysqlConnection) => Promise<Result>,
): Promise<Result> {
  const connection = await createConnection({ host, port, user, password, database });
  try {
    return await use(connection);
  } finally {
    await connection.end();
  }
}

const postgresStore: Store<NativeDatabaseService> = {
  write: async (service) => {
    await postgresRow(service, "CREATE TABLE box AS SELECT 'kept' AS content");
  },
  read: async (service) => (await postgresRow(service, 'SELECT content FROM box'))['content'],
};

async function postgresRow(
  { host, port, user, password, database }: NativeDatabaseService,
  query: string,
  options: { ssl?: { rejectUnauthorized: boolean } } = {},
): Promise<Record<string, unknown>> {
  const client = new PostgresClient({ host, port, user, password, database, ...options });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(query);
    return rows[0] ?? {};
  } finally {
    await client.end();
  }
}

const googleStore: Store<GcsFacts> = {
  write: async ({ endpoint, bucket }) => {
    const query = 'uploadType=media&name=folder/kept.txt';
    const target = `${endpoint}/upload/storage/v1/b/${bucket}/o?${query}`;
    assert.equal((await fetch(target, { method: 'POST', body: 'kept' })).status, 200);
  },
  read: async ({ endpoint, bucket }) =>
    (await fetch(`${endpoint}/storage/v1/b/${bucket}/o/folder%2Fkept.txt?alt=media`)).text(),
};

const objectStore: Store<S3Facts> = {
  write: (service) =>
    withS3(service, async (client) => {
      const put = new PutObjectCommand({
        Bucket: service.bucket,
        Key: 'raw/box',
        Body: 'kept',
        IfNoneMatch: '*',
      });
      await client.send(put);
      await assert.rejects(client.send(put), (error: S3ServiceException) => {
        return error.name === 'PreconditionFailed';
      });
    }),
  read: (service) =>
    withS3(service, async (client) => {
      const get = new GetObjectCommand({ Bucket: service.bucket, Key: 'raw/box' });
      const { Body } = await client.send(get);
      return Body!.transformToString();
    }),
};

async function withS3<Result>(
  { endpoint, region, accessKeyId, secretAccessKey }: S3Facts,
  use: (client: S3Client) => Promise<Result>,
): Promise<Result> {
  const credentials = { accessKeyId, secretAccessKey };
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  try {
    return await use(client);
  } finally {
    client.destroy();
  }
}

const workflowStore: Store<{ address: string }> = {
  write: (service) =>
    withTemporal(service, async (client) => {
      await client.workflow.start('nothing', {
        taskQueue: 'nobody-listens',
        workflowId: 'box',
        typedSearchAttributes: [
          { key: { name: SEARCH_ATTRIBUTES.table, type: 'KEYWORD' }, value: 'kept' },
        ],
      });
    }),
  read: (service) =>
    withTemporal(service, async (client) => {
      const { typedSearchAttributes } = await client.workflow.getHandle('box').describe();
      return typedSearchAttributes.get({ name: SEARCH_ATTRIBUTES.table, type: 'KEYWORD' });
    }),
};

async function withTemporal<Result>(
  { address }: { address: string },
  use: (client: TemporalClient) => Promise<Result>,
): Promise<Result> {
  const connection = await Connection.connect({ address });
  try {
    return await use(new TemporalClient({ connection }));
  } finally {
    await connection.close();
  }
}
