import assert from 'node:assert/strict';
import type { Session, TextRow } from '../../../../src/sources/mysql/connection';
import {
  emptyStretch,
  extendStretch,
  type LogStretch,
} from '../../../../src/sources/mysql/tokens/binlog-scan';

const FILE = 'binlog.000001';
const BUDGET = { events: 50_000, milliseconds: 60_000 };

interface Event {
  readonly type: string;
  readonly info: string;
  readonly size: number;
}

/** A log of one file, answered in pages as the server does. Events of size 0 lie inside the one before. */
function fakeLog(events: readonly Event[]): { session: Session; end: number; queries: string[] } {
  let position = 4;
  const rows: TextRow[] = events.map(({ type, info, size }) => {
    const from = position;
    position += size;
    return { Pos: String(from), Event_type: type, End_log_pos: String(position), Info: info };
  });
  const queries: string[] = [];
  const query = (sql: string) => {
    queries.push(sql);
    const [, from, limit] = /FROM (\d+) LIMIT (\d+)$/.exec(sql) ?? [];
    const start = rows.findIndex(
      (row) => Number(row['Pos']) >= Number(from) && row['Pos'] !== row['End_log_pos'],
    );
    return Promise.resolve(start === -1 ? [] : rows.slice(start, start + Number(limit)));
  };
  return { session: { query } as unknown as Session, end: position, queries };
}

const map = (table: string): Event => ({
  type: 'Table_map',
  info: `table_id: 1 (s.${table})`,
  size: 10,
});
const xid: Event = { type: 'Xid', info: 'COMMIT', size: 10 };
const inside = (event: Event): Event => ({ ...event, size: 0 });
const payload: Event = { type: 'Transaction_payload', info: '', size: 100 };

async function scan(events: readonly Event[], budget = BUDGET, from?: LogStretch) {
  const { session, end, queries } = fakeLog(events);
  const start = from ?? emptyStretch({ file: FILE, position: 4 });
  const files = [{ name: FILE, size: end }];
  const stretch = await extendStretch(session, start, { file: FILE, position: end }, files, budget);
  return { stretch, end, queries };
}

describe('reading a stretch of the log', () => {
  it('keeps where each table was last written to, page after page', async () => {
    const events = Array.from({ length: 3_000 }, (_, index) => [map(`t${index % 7}`), xid]).flat();
    const { stretch, end, queries } = await scan(events);
    assert.equal(queries.length, 3);
    assert.equal(stretch?.to.position, end);
    assert.equal(stretch.lastTouch.size, 7);
    assert.equal(stretch.lastTouch.get('s.t3')?.position, end - 10 - 20 * ((2_999 - 3) % 7));
    assert.equal(stretch.lastAnything, undefined);
  });

  it('stops when the budget is spent and goes on from there', async () => {
    const events = Array.from({ length: 5_000 }, () => [map('t'), xid]).flat();
    const first = await scan(events, { events: 3_000, milliseconds: 60_000 });
    assert.ok(first.stretch && first.stretch.to.position < first.end);
    const second = await scan(events, BUDGET, first.stretch);
    assert.equal(second.stretch?.to.position, second.end);
    assert.deepEqual(second.stretch?.from, first.stretch.from);
  });

  it('looks into compressed transactions, also where a page cuts one', async () => {
    const filler = Array.from({ length: 999 }, () => [map('filler'), xid]).flat();
    const { stretch, end } = await scan([
      ...filler,
      payload,
      inside(map('first')),
      inside(map('second')),
      inside(xid),
    ]);
    assert.equal(stretch?.to.position, end);
    assert.ok(stretch.lastTouch.has('s.first') && stretch.lastTouch.has('s.second'));
    assert.equal(stretch.lastAnything, undefined);
  });

  it('knows nothing of a compressed transaction that the server does not show', async () => {
    const { stretch } = await scan([payload, map('after'), xid]);
    assert.deepEqual(stretch?.lastAnything, { file: FILE, position: 104 });
    const last = await scan([map('before'), xid, payload]);
    assert.notEqual(last.stretch?.lastAnything, undefined);
  });

  it('gives up on a compressed transaction longer than a page', async () => {
    const { stretch } = await scan([
      payload,
      ...Array.from({ length: 2_500 }, () => inside(map('t'))),
    ]);
    assert.equal(stretch, undefined);
  });

  it('gives up where the position is not the beginning of an event', async () => {
    const middle = emptyStretch({ file: FILE, position: 7 });
    assert.equal((await scan([map('t'), xid], BUDGET, middle)).stretch, undefined);
  });

  it('gives up where a file ends before the position, as after a crash', async () => {
    const { session, end } = fakeLog([map('t'), xid]);
    const beyond = emptyStretch({ file: FILE, position: end + 100 });
    const files = [
      { name: FILE, size: end },
      { name: 'binlog.000002', size: 200 },
    ];
    const until = { file: 'binlog.000002', position: 200 };
    assert.equal(await extendStretch(session, beyond, until, files, BUDGET), undefined);
  });
});
