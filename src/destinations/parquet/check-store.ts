import { randomUUID } from 'node:crypto';
import { ComportaError } from '../../errors';
import { failureFinding } from '../../sources/failure-finding';
import type { Finding } from '../../sources/source';
import { STAGING } from './layout';
import type { ObjectStore, StagingScope } from './storage';

const FOLDER = `${STAGING}/_check`;

/**
 * Does at a lake, on small files of its own, all that a load does there. Stops at the first
 * operation that fails: the next ones would fail for the same reason.
 */
export async function checkStore(store: ObjectStore): Promise<readonly Finding[]> {
  const name = `check-${randomUUID()}`;
  const scope: StagingScope = { domain: 'check', entity: name, run: name, attempt: 1 };
  const path = `${FOLDER}/${name}.json`;
  const subject = store.description;
  try {
    const conditional = await tryDocuments(store, path);
    await tryStaging(store, scope, `${FOLDER}/${name}.parquet`);
    await store.sweep(scope.domain, scope.entity);
    return conditional ? [] : [unconditional(subject)];
  } catch (error) {
    const remedy = 'check the connection, and that its credentials may read, write and delete';
    return [failureFinding(subject, error, remedy)];
  }
}

/** Whether conditional writes hold: without them two loads could publish over each other. */
async function tryDocuments(store: ObjectStore, path: string): Promise<boolean> {
  try {
    const created = await store.replace(path, Buffer.from('{"check":1}'), undefined);
    const repeated = await store.replace(path, Buffer.from('{"check":2}'), undefined);
    const present = await store.get(path);
    const replaced = await store.replace(path, Buffer.from('{"check":3}'), present?.version);
    const stale = await store.replace(path, Buffer.from('{"check":4}'), present?.version);
    for await (const object of store.list(FOLDER)) {
      if (object.path === path) return created && !repeated && replaced && !stale;
    }
    throw new ComportaError('DestinationFailed', `${store.description} does not list ${path}`, {
      remedy: 'the store must list an object as soon as it is written',
    });
  } finally {
    await store.delete([path]);
  }
}

async function tryStaging(store: ObjectStore, scope: StagingScope, path: string): Promise<void> {
  const staged = await store.stage(scope, path);
  try {
    await staged.write(Buffer.from('check'));
    const receipt = await staged.close();
    await store.resume(path, receipt).commit();
    const reader = await store.open(path);
    await reader.read(0, reader.bytes);
    await reader.close();
  } finally {
    await staged.discard();
    await store.clear(scope);
    await store.delete([path]);
  }
}

function unconditional(subject: string): Finding {
  return {
    severity: 'error',
    subject,
    problem: 'conditional writes are ignored: two loads could publish over each other',
    remedy: 'use a store that honours If-Match and If-None-Match on PUT',
  };
}
