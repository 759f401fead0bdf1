import { isOfAttempt, isOfRun } from './folders';
import { stagingFolder } from './layout';
import type { ObjectStore, StagingScope } from './storage';

type Objects = Pick<ObjectStore, 'list' | 'delete'>;

/** Deletes what lies staged in a bucket for a table, or of that what is one run's. */
export async function sweepStaged(
  store: Objects,
  domain: string,
  entity: string,
  run?: string,
): Promise<void> {
  await deleteStaged(store, domain, entity, (name) => run === undefined || isOfRun(name, run));
}

/** Deletes what one attempt staged in a bucket, or one chunk of it. */
export async function discardStaged(store: Objects, scope: StagingScope): Promise<void> {
  await deleteStaged(store, scope.domain, scope.entity, (name) => isOfAttempt(name, scope));
}

/** @param isMeant by the name of an attempt's folder. */
async function deleteStaged(
  store: Objects,
  domain: string,
  entity: string,
  isMeant: (name: string) => boolean,
): Promise<void> {
  const folder = stagingFolder(domain, entity);
  const paths: string[] = [];
  for await (const { path } of store.list(folder)) {
    const [name = ''] = path.slice(folder.length + 1).split('/');
    if (isMeant(name)) paths.push(path);
  }
  await store.delete(paths);
}
