import assert from 'node:assert/strict';
import { rm, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { findPipeline } from '../../src/client/options';
import { loadProject } from '../../src/pipeline/load';
import { createProjectLoader } from '../../src/worker/project-loader';
import { CONNECTIONS, load, places, SALES, withFolder } from './project-folder';

const OWN = `pipeline: own
source: { connection: shop }
destination: { connection: bucket }
connections:
  shop: { type: mysql, host: env:HOST, port: env:PORT:-3307, user: u, password: env:P, database: 'env:DB:-shop' }
  bucket: { type: gcs, bucket: b, endpoint: 'env:ENDPOINT:-', prefix: 'env:PREFIX:-a:-b' }
history: { type: bigquery, project: p, dataset: d, location: 'env:LOCATION:-', leases: bucket }
`;

describe('a project in one file', () => {
  const FILES = { 'connections.yaml': CONNECTIONS, 'sales.yaml': SALES, 'own.yaml': OWN };

  it('has a pipeline, its connections and its history', async () => {
    const project = await withFolder(FILES, (directory) =>
      loadProject(path.join(directory, 'own.yaml'), { environment: { HOST: 'h' } }),
    );
    assert.deepEqual([...project.pipelines.keys()], ['own']);
    assert.deepEqual([...project.connections.keys()], ['shop', 'bucket']);
    assert.deepEqual(project.history, {
      ...{ type: 'bigquery', project: 'p', dataset: 'd', leases: 'bucket' },
    });
  });

  it('is no part of its folder, which says where it is', async () => {
    const project = await load(FILES);
    assert.deepEqual([...project.pipelines.keys()], ['sales']);
    assert.throws(() => findPipeline(project, 'own'), {
      code: 'ConfigurationInvalid',
      message: /"own" is a project of its own.*--pipelines .*own\.yaml/,
    });
  });

  it('needs no connections.yaml beside it, and its mistakes speak of itself', async () => {
    const wrong = OWN.replace('connection: bucket', 'connection: bukket');
    await withFolder({ 'own.yaml': wrong }, async (directory) => {
      const loading = loadProject(path.join(directory, 'own.yaml'), { environment: { HOST: 'h' } });
      await assert.rejects(loading, /bukket is not in this file[^]*did you mean bucket\?/);
    });
  });

  it('is a whole project, not a pipeline alone', async () => {
    await withFolder(FILES, async (directory) => {
      const loading = loadProject(path.join(directory, 'sales.yaml'), { environment: {} });
      await assert.rejects(loading, /connections/);
    });
  });

  it('is read again when it was changed', async () => {
    await withFolder(FILES, async (directory) => {
      const file = path.join(directory, 'own.yaml');
      const loader = createProjectLoader(file, { HOST: 'h' });
      const first = await loader();
      assert.equal(await loader(), first);
      await writeFile(file, OWN.replace('pipeline: own', 'pipeline: renamed'));
      await utimes(file, 1, 1);
      assert.deepEqual([...(await loader()).pipelines.keys()], ['renamed']);
      await rm(file);
      await assert.rejects(loader(), /there is no such folder/);
    });
  });
});

describe('a value that the environment may give', () => {
  const connections = async (environment: NodeJS.ProcessEnv) => {
    const { connections: found } = await withFolder({ 'own.yaml': OWN }, (directory) =>
      loadProject(path.join(directory, 'own.yaml'), { environment }),
    );
    const [shop, bucket] = [found.get('shop'), found.get('bucket')];
    return { ...shop, ...bucket } as Record<string, unknown>;
  };

  it('is what stands behind :- where the variable is not set or empty', async () => {
    for (const environment of [{ HOST: 'h' }, { HOST: 'h', PORT: '', DB: ' ', ENDPOINT: '' }]) {
      const { port, database, prefix, endpoint } = await connections(environment);
      assert.deepEqual([port, database, prefix], [3307, 'shop', 'a:-b']);
      assert.equal(endpoint, undefined);
    }
  });

  it("is the variable's otherwise", async () => {
    const environment = { HOST: 'h', PORT: '1', DB: 'd', ENDPOINT: 'http://e:2', PREFIX: 'p' };
    const { port, database, prefix, endpoint } = await connections(environment);
    assert.deepEqual([port, database, prefix, endpoint], [1, 'd', 'p', 'http://e:2']);
  });

  it('cannot be nothing where something is needed, nor a secret in plain text', async () => {
    const lake = 'lake: { type: file, path: x }';
    const wrong = `connections:
  shop: { type: mysql, host: 'env:HOST:-', user: u, password: 'env:P:-hunter2', port: 'env:X:-y', database: d }
  ${lake}
`;
    const found = await places({ 'connections.yaml': wrong, 'sales.yaml': SALES });
    assert.deepEqual(
      found.map((line) => line.replace(/(: must be [^,]+),?.*$/, '$1')),
      [
        'connections.yaml:2:30 connections.shop.host: must be text',
        'connections.yaml:2:63 connections.shop.password: must be a reference to a secret',
        'connections.yaml:2:87 connections.shop.port: must be a port',
      ],
    );
  });
});
