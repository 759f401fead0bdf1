import type { RetentionSettings } from '../../pipeline/pipeline';
import { readCurrent, type CurrentDocument } from './current-state';
import { entityFolder, manifestPath, noteOfPath, runOfPath } from './layout';
import { readManifest } from './manifest';
import { completeReaders } from './readers';
import type { ObjectStore, StoredObject } from './storage';

const DAY_MS = 24 * 60 * 60 * 1000;
/** Older than any publication takes from its first file to its swap. */
const ABANDONED_MS = DAY_MS;

interface StoredRun {
  readonly run: string;
  readonly ingestionDate: string;
  readonly objects: StoredObject[];
}

/**
 * Deletes runs of one table beyond the newest `runs` and older than `days`, clears away what dead
 * attempts left, and completes what a publication that was killed left undone. Never a run that the
 * present state takes a file from. Of each run the manifest goes first: what it names is there as
 * long as it is. The caller owns the table, so whatever is staged for it is of attempts that are over
 * or may not publish any more.
 */
export async function retain(
  store: ObjectStore,
  domain: string,
  entity: string,
  rule: RetentionSettings,
  now: Date,
): Promise<{ readonly deletedRuns: number }> {
  // Listed before the state is read: a load published in between is not in the list.
  const runs = await storedRuns(store, domain, entity);
  const current = (await readCurrent(store, domain, entity))?.document;
  await store.sweep(domain, entity);
  if (current === undefined) return { deletedRuns: 0 };
  // A process killed right after its swap left the old view; its next attempt only records.
  await completeReaders(store, domain, entity, current);

  await deleteLeftovers(store, runs, current);
  const others = runs.filter((run) => !isInUse(run, current));
  const published: { readonly run: StoredRun; readonly at: number }[] = [];
  const doomed: StoredRun[] = [];
  for (const run of others) {
    const manifest = await readManifest(store, manifestPath(run));
    if (manifest !== undefined) published.push({ run, at: Date.parse(manifest.publishedAt) });
    else if (run.objects.every((object) => isAbandoned(object.modified, now))) doomed.push(run);
  }
  published.sort((a, b) => b.at - a.at);
  for (const { run, at } of published.slice(rule.runs)) {
    if (now.getTime() - at >= rule.days * DAY_MS) doomed.push(run);
  }
  for (const run of doomed) {
    await store.delete([manifestPath(run)]);
    await store.delete(run.objects.map((object) => object.path));
  }
  return { deletedRuns: doomed.length };
}

async function storedRuns(
  store: ObjectStore,
  domain: string,
  entity: string,
): Promise<StoredRun[]> {
  const runs = new Map<string, StoredRun>();
  for await (const object of store.list(entityFolder(domain, entity))) {
    const found = runOfPath(object.path);
    if (found === undefined) continue;
    const key = `${found.ingestionDate}/${found.run}`;
    const run = runs.get(key) ?? { ...found, objects: [] };
    run.objects.push(object);
    runs.set(key, run);
  }
  return [...runs.values()];
}

function isInUse(run: StoredRun, current: CurrentDocument): boolean {
  return current.run === run.run || run.objects.some(({ path }) => isNamed(current, path));
}

function isNamed(current: CurrentDocument, path: string): boolean {
  return current.files.some((file) => file.path === path);
}

function isAbandoned(modified: Date, now: Date): boolean {
  return now.getTime() - modified.getTime() > ABANDONED_MS;
}

/** Files in the published run's folder that the state does not name: of attempts that died there. */
async function deleteLeftovers(
  store: ObjectStore,
  runs: readonly StoredRun[],
  current: CurrentDocument,
): Promise<void> {
  const own = runs.find((run) => run.run === current.run);
  const dead = own?.objects.filter(({ path }) => !isNamed(current, path)) ?? [];
  await store.delete(dead.map((object) => object.path));
}

/**
 * Removes what attempts of a run staged, and its notes. The notes first: a file that they name is
 * there as long as they are.
 */
export async function discardRun(
  store: ObjectStore,
  domain: string,
  entity: string,
  run: string,
): Promise<void> {
  const runs = await storedRuns(store, domain, entity);
  const objects = runs.filter((stored) => stored.run === run).flatMap((stored) => stored.objects);
  const notes = objects.filter(({ path }) => noteOfPath(path) !== undefined);
  await store.delete(notes.map(({ path }) => path));
  await store.sweep(domain, entity, run);
}
