import { ComportaError } from '../../errors';
import type { RunIdentity } from '../destination';

/** Where everything of a lake lies. docs/lake.md explains it to readers of the lake. */

/** What is staged lies here, outside raw/, where no reader looks. */
export const STAGING = '_staging';

export type RunPlace = Pick<RunIdentity, 'domain' | 'entity' | 'run' | 'ingestionDate'>;

export function entityFolder(domain: string, entity: string): string {
  return `raw/${safe(domain)}/${safe(entity)}`;
}

/** What attempts, and programs other than the worker, stage for a table: a folder each. */
export function stagingFolder(domain: string, entity: string): string {
  return `${STAGING}/${domain}/${entity}`;
}

export function runFolder({ domain, entity, run, ingestionDate }: RunPlace): string {
  return `${entityFolder(domain, entity)}/${partition(ingestionDate, run)}`;
}

/** The manifest of one run. */
export function manifestPath({
  run,
  ingestionDate,
}: Pick<RunPlace, 'run' | 'ingestionDate'>): string {
  return `raw/_manifests/${partition(ingestionDate, run)}/manifest.json`;
}

/** The one authority on what a table is now. */
export function currentPath(domain: string, entity: string): string {
  return `${currentFolder(domain)}/${safe(entity)}.json`;
}

export function currentFolder(domain: string): string {
  return `raw/_current/${safe(domain)}`;
}

/** The same list of files as Athena and Trino follow it; its folder is the table's location. */
export function symlinkPath(domain: string, entity: string): string {
  return `raw/_current/${safe(domain)}/${safe(entity)}/symlink_format_manifest/manifest`;
}

export function viewPath(domain: string, entity: string): string {
  return `raw/_views/${safe(domain)}/${safe(entity)}.sql`;
}

/**
 * The n-th file of an attempt. Attempts of one run share its folder, and one that was given up may
 * still be writing: its files never take the names of the next one's.
 */
export function partName(
  kind: 'part' | 'merged',
  part: number,
  { attempt, chunk }: Pick<RunIdentity, 'attempt' | 'chunk'>,
): string {
  const suffix = attempt === 1 ? '' : `-attempt-${attempt}`;
  const place = chunk === undefined ? '' : `${String(chunk).padStart(4, '0')}-`;
  return `${kind}-${place}${String(part).padStart(4, '0')}${suffix}.parquet`;
}

/** Whether an attempt wrote a file, or one chunk of it did, by the name that `partName` gave it. */
export function isPartOf(
  path: string,
  { attempt, chunk }: Pick<RunIdentity, 'attempt' | 'chunk'>,
): boolean {
  const [, chunkOfFile, attemptOfFile = '1'] =
    /-(?:(\d{4})-)?\d{4}(?:-attempt-(\d+))?\.parquet$/.exec(path) ?? [];
  if (Number(attemptOfFile) !== attempt) return false;
  return chunk === undefined || chunk === Number(chunkOfFile ?? -1);
}

/**
 * A note of a run. In the run's folder, where it is removed with all that the published state does
 * not name; the first character hides it from readers of folders.
 */
export function notePath(place: RunPlace, name: string): string {
  return `${runFolder(place)}/${NOTE}${name}.json`;
}

const NOTE = '_note-';

/** The name of the note that lies at a path, if one does. */
export function noteOfPath(path: string): string | undefined {
  return /\/_note-([^/]+)\.json$/.exec(path)?.[1];
}

/** The run that a path under an entity's folder belongs to. */
export function runOfPath(path: string): { ingestionDate: string; run: string } | undefined {
  const found = /\/ingestion_date=([^/]+)\/run_id=([^/]+)\/[^/]+$/.exec(path);
  const [, ingestionDate, run] = found ?? [];
  return ingestionDate === undefined || run === undefined ? undefined : { ingestionDate, run };
}

function partition(ingestionDate: string, run: string): string {
  return `ingestion_date=${safe(ingestionDate)}/run_id=${safe(run)}`;
}

/** A name that is one folder, that no reader hides and no engine takes for a pattern. */
function safe(name: string): string {
  if (/^[^\s/\\*?[\]{}'"_.][^\s/\\*?[\]{}'"]*$/u.test(name)) return name;
  throw new ComportaError('ConfigurationInvalid', `"${name}" cannot be a folder of the lake`, {
    remedy: 'choose a name of letters, digits and hyphens',
  });
}
