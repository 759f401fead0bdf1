import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createFileStore } from '../../../src/destinations/parquet/file-store';
import { createLakeJobStore } from '../../../src/engines/jobs/lake-job-store';

describe('what jobs keep in a lake', () => {
  let root: string;

  beforeEach(async () => (root = await mkdtemp(join(tmpdir(), 'comporta-job-store-'))));
  afterEach(() => rm(root, { recursive: true, force: true }));

  const store = () =>
    createLakeJobStore({
      lake: createFileStore(join(root, 'lake')),
      openFolder: (url) => createFileStore(fileURLToPath(url)),
    });

  it('is each version of a script, under its content’s hash, once', async () => {
    const script = join(root, 'job.py');
    await writeFile(script, 'print(1)');
    const first = await store().upload(script);
    assert.equal(await store().upload(script), first);
    await writeFile(script, 'print(2)');
    const second = await store().upload(script);
    assert.notEqual(second, first);
    assert.equal(await readFile(fileURLToPath(first), 'utf8'), 'print(1)');
    assert.equal(await readFile(fileURLToPath(second), 'utf8'), 'print(2)');
    assert.equal((await readdir(join(root, 'lake/_jobs'))).length, 2);
  });

  it('is mended where a script was spoilt', async () => {
    const script = join(root, 'job.py');
    await writeFile(script, 'print(1)');
    const url = await store().upload(script);
    await writeFile(fileURLToPath(url), 'pri');
    assert.equal(await store().upload(script), url);
    assert.equal(await readFile(fileURLToPath(url), 'utf8'), 'print(1)');
  });

  it('is not what a driver prints: of that the end of the last part is read', async () => {
    const folder = join(root, 'output/job-01');
    const url = pathToFileURL(join(folder, 'driveroutput')).href;
    await mkdir(join(root, 'output'));
    assert.equal(await store().tail(url), undefined);
    await mkdir(folder);
    await writeFile(join(folder, 'driveroutput.000000000'), 'first');
    await writeFile(join(folder, 'driveroutput.000000010'), `${'x'.repeat(9_000)}\nlast words\n`);
    await writeFile(join(folder, 'driveroutput.000000009'), 'ninth');
    await writeFile(join(folder, 'metadata'), 'other');
    const tail = await store().tail(url);
    assert.equal(tail?.length, 8_192);
    assert.ok(tail?.endsWith('x\nlast words\n'));
  });
});
