import type { Evidence } from '../../../detection/detection';
import type { TokenRequest } from '../../source';
import type { Session } from '../connection';
import { firstUnderstood, whereAllowed, type ServerState } from '../server';
import { isAfter, type LogPosition } from './binlog-events';
import { emptyStretch, extendStretch, type LogStretch, type ScanBudget } from './binlog-scan';
import { readCascades, withCascades } from './foreign-keys';
import { contains, isSubset, parseGtidSet, sizeOf } from './gtid-set';
import { keyOfTable, type TableKey } from './innodb-names';
import { logValuesOf, readLogStatus, type LogEvidence, type LogValues } from './log-position';

/**
 * What has been read of the log, kept between calls so that each reads only what is new. It
 * belongs to one run of one server.
 */
export interface LogMemory {
  read?: { readonly server: string; readonly stretch: LogStretch };
}

type Touched = NonNullable<Evidence['touched']>;

interface Candidate {
  readonly request: TokenRequest;
  readonly before: LogValues;
}

/**
 * For each table whose log position has moved since its last load: whether the log in between
 * touches it. Reads the log once for all tables, from the earliest of their positions. A table
 * that is not in the answer did not move or cannot be compared.
 */
export async function readTouched(
  session: Session,
  state: ServerState,
  evidence: LogEvidence,
  requests: readonly TokenRequest[],
  memory: LogMemory,
  budget: ScanBudget,
): Promise<ReadonlyMap<string, Touched>> {
  const now = logValuesOf(evidence);
  const candidates = now === undefined ? [] : requests.flatMap((each) => moved(each, evidence));
  const answers = new Map<string, Touched>(
    candidates.map(({ request }) => [request.table.id, 'unknown'] as const),
  );
  if (now === undefined || candidates.length === 0 || evidence.distrust !== undefined) {
    return answers;
  }
  const stretch = await readStretch(session, state, candidates, memory, budget);
  if (stretch === undefined) return answers;

  const cascades = await whereAllowed(readCascades(session, state));
  const reached = withCascades(stretch.lastTouch, cascades ?? new Map<TableKey, TableKey[]>());
  const complete = memoized((before: LogValues) => isComplete(stretch, before, now));
  for (const { request, before } of candidates) {
    const touchedAt = reached.get(keyOfTable(request.table));
    if (isAfter(stretch.from, before.position)) continue;
    if (touchedAt !== undefined && isAfter(touchedAt, before.position)) {
      answers.set(request.table.id, 'yes');
    } else if (cascades !== undefined && complete(before)) {
      answers.set(request.table.id, 'no');
    }
  }
  return answers;
}

function moved(request: TokenRequest, evidence: LogEvidence): readonly Candidate[] {
  const saved = request.previous?.evidence.find(({ strategy }) => strategy === 'log');
  if (saved === undefined || saved.distrust !== undefined) return [];
  if (!sameEntries(saved.identity, evidence.identity)) return [];
  if (sameEntries(saved.values, evidence.values)) return [];
  const before = logValuesOf(saved);
  return before === undefined ? [] : [{ request, before }];
}

function sameEntries(one: Evidence['values'], other: Evidence['values']): boolean {
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...keys].every((key) => one[key] === other[key]);
}

/** The log from the earliest position that can still be read, up to now. */
async function readStretch(
  session: Session,
  state: ServerState,
  candidates: readonly Candidate[],
  memory: LogMemory,
  budget: ScanBudget,
): Promise<LogStretch | undefined> {
  const status = await readLogStatus(session, state);
  const logs = await firstUnderstood(session, ['SHOW BINARY LOGS']);
  if (status === undefined || logs === undefined) return undefined;
  const end = { file: status['File'] ?? '', position: Number(status['Position']) };
  const files = logs.map((row) => ({
    name: row['Log_name'] ?? '',
    size: Number(row['File_size']),
  }));
  const server = `${state.identity} ${state.startedAt}`;
  if (memory.read?.server !== server) delete memory.read;

  let starts = distinct(candidates.map(({ before }) => before.position));
  while (starts.length > 0) {
    const earliest = starts.reduce((one, other) => (isAfter(one, other) ? other : one));
    for (const base of basesFor(earliest, memory)) {
      const stretch = await extendStretch(session, base, end, files, budget);
      if (stretch === undefined) continue;
      memory.read = { server, stretch };
      return isAfter(end, stretch.to) ? undefined : stretch;
    }
    delete memory.read;
    // What cannot be read there may be readable in a later file.
    starts = starts.filter(({ file }) => file !== earliest.file);
  }
  return undefined;
}

/** Where to read on from: what is known already, or nothing. */
function basesFor(earliest: LogPosition, { read }: LogMemory): readonly LogStretch[] {
  const known = read === undefined || isAfter(read.stretch.from, earliest) ? [] : [read.stretch];
  return [...known, emptyStretch(earliest)];
}

function distinct(positions: readonly LogPosition[]): readonly LogPosition[] {
  return [...new Map(positions.map((each) => [`${each.file} ${each.position}`, each])).values()];
}

/** Whether what was read after a position is all that happened since then, and understood. */
function isComplete(stretch: LogStretch, before: LogValues, now: LogValues): boolean {
  const { lastAnything } = stretch;
  if (lastAnything !== undefined && isAfter(lastAnything, before.position)) return false;
  if (before.replicatedTo !== now.replicatedTo) return false;
  if (before.gtidExecuted === undefined || now.gtidExecuted === undefined) {
    return before.gtidExecuted === now.gtidExecuted;
  }
  return coversGtids(stretch, before.position, before.gtidExecuted, now.gtidExecuted);
}

/**
 * A transaction is written to the log a moment before it is executed. One that was written before
 * the saved position but executed after the saved set would be missing here, so every transaction
 * between the sets must have been read.
 */
function coversGtids(
  { gtids }: LogStretch,
  position: LogPosition,
  before: string,
  now: string,
): boolean {
  const then = parseGtidSet(before);
  const current = parseGtidSet(now);
  if (then === undefined || current === undefined || !isSubset(then, current)) return false;
  let found = 0;
  for (const { gtid, at } of gtids) {
    if (isAfter(at, position) && contains(current, gtid) && !contains(then, gtid)) found++;
  }
  return found === sizeOf(current) - sizeOf(then);
}

function memoized(work: (before: LogValues) => boolean): (before: LogValues) => boolean {
  const known = new Map<string, boolean>();
  return (before) => {
    const key = JSON.stringify(before);
    const answer = known.get(key) ?? work(before);
    known.set(key, answer);
    return answer;
  };
}
