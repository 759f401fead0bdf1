import { ComportaError } from '../../../errors';
import type { Session, TextRow } from '../connection';
import { quoteLiteral } from '../identifiers';
import { effectOf, isAfter, type LogPosition } from './binlog-events';
import type { Gtid } from './gtid-set';
import type { TableKey } from './innodb-names';

/** What a stretch of the log touched. */
export interface LogStretch {
  readonly from: LogPosition;
  /** Everything up to here has been read. */
  readonly to: LogPosition;
  /** Where each table was last written to. */
  readonly lastTouch: ReadonlyMap<TableKey, LogPosition>;
  /** Where something last happened that may have changed any table. */
  readonly lastAnything: LogPosition | undefined;
  readonly gtids: readonly { readonly gtid: Gtid; readonly at: LogPosition }[];
}

/** How much of the log may be read for one set of tokens. */
export interface ScanBudget {
  /** Events. Default 50,000. */
  readonly events: number;
  /** Default 5,000. */
  readonly milliseconds: number;
}

export const DEFAULT_SCAN_BUDGET: ScanBudget = { events: 50_000, milliseconds: 5_000 };

/** A stretch that remembers more transactions than this is dropped, to bound its memory. */
const MAX_REMEMBERED = 500_000;

const PAGE = 2_000;

/** One file of the log, in the order of SHOW BINARY LOGS. */
export interface LogFile {
  readonly name: string;
  readonly size: number;
}

export function emptyStretch(at: LogPosition): LogStretch {
  return { from: at, to: at, lastTouch: new Map(), lastAnything: undefined, gtids: [] };
}

/**
 * Reads the log on from the end of a stretch until `end` is passed or the budget is spent, and
 * returns the longer stretch. Undefined when the log cannot be read there: purged, cut off by a
 * crash, no right to.
 */
export async function extendStretch(
  session: Session,
  stretch: LogStretch,
  end: LogPosition,
  files: readonly LogFile[],
  budget: ScanBudget,
  clock: () => number = Date.now,
): Promise<LogStretch | undefined> {
  const reader = new StretchReader(stretch);
  const deadline = clock() + budget.milliseconds;
  let left = budget.events;
  while (isAfter(end, reader.to) && left > 0 && clock() < deadline) {
    const page = await readPage(session, reader.to);
    if (page === undefined || !beginsAt(page, reader.to, files)) return undefined;
    left -= page.length;
    if (!reader.take(page, PAGE)) return undefined;
    if (page.length < PAGE) {
      const next = files[files.findIndex(({ name }) => name === reader.to.file) + 1];
      if (next === undefined) break;
      // The events of a file begin behind its magic number.
      reader.to = { file: next.name, position: 4 };
    }
  }
  return reader.gtids.length > MAX_REMEMBERED ? emptyStretch(reader.to) : reader.stretch();
}

async function readPage(
  session: Session,
  { file, position }: LogPosition,
): Promise<readonly TextRow[] | undefined> {
  try {
    return await session.query(
      `SHOW BINLOG EVENTS IN ${quoteLiteral(file)} FROM ${position} LIMIT ${PAGE}`,
    );
  } catch (error) {
    if (error instanceof ComportaError && error.retryable) throw error;
    return undefined;
  }
}

/**
 * Whether a page is what lies behind a position. MySQL answers a position in the middle of an event
 * with the next event, and one behind the end of a file, which a crash may have cut short, with
 * nothing at all.
 */
function beginsAt(
  page: readonly TextRow[],
  { file, position }: LogPosition,
  files: readonly LogFile[],
): boolean {
  const [first] = page;
  if (first !== undefined) return Number(first['Pos']) === position;
  return files.find(({ name }) => name === file)?.size === position;
}

class StretchReader {
  to: LogPosition;
  readonly gtids: { gtid: Gtid; at: LogPosition }[];
  private readonly lastTouch: Map<TableKey, LogPosition>;
  private lastAnything: LogPosition | undefined;

  constructor(private readonly start: LogStretch) {
    this.to = start.to;
    this.gtids = [...start.gtids];
    this.lastTouch = new Map(start.lastTouch);
    this.lastAnything = start.lastAnything;
  }

  /** False when the page cannot be understood at all. */
  take(page: readonly TextRow[], limit: number): boolean {
    const events = page.length < limit ? page : wholeEvents(page);
    if (page.length > 0 && events.length === 0) return false;
    const { file } = this.to;
    for (let index = 0; index < events.length; index++) {
      const event = events[index]!;
      const at = { file, position: Number(event['End_log_pos']) };
      const effect = effectOf(event);
      switch (effect.kind) {
        case 'none':
          break;
        case 'gtid':
          this.gtids.push({ gtid: effect.gtid, at });
          break;
        case 'table':
          this.lastTouch.set(effect.key, at);
          break;
        case 'payload':
          // A server that does not show what is inside leaves us in the dark.
          if (!isInside(events[index + 1])) this.lastAnything = at;
          break;
        case 'anything':
          this.lastAnything = at;
          break;
      }
      this.to = at;
    }
    return true;
  }

  stretch(): LogStretch {
    const { to, gtids, lastTouch, lastAnything } = this;
    return { from: this.start.from, to, gtids, lastTouch, lastAnything };
  }
}

/** Events of a compressed transaction are shown behind it, at its end and without length. */
function isInside(event: TextRow | undefined): boolean {
  return event !== undefined && event['Pos'] === event['End_log_pos'];
}

/** A full page without its last compressed transaction, which may go on behind the page. */
function wholeEvents(page: readonly TextRow[]): readonly TextRow[] {
  const lastOutside = page.findLastIndex((event) => !isInside(event));
  const last = page[lastOutside];
  return last?.['Event_type'] === 'Transaction_payload' ? page.slice(0, lastOutside) : page;
}
