import assert from 'node:assert/strict';
import { decide } from '../../../src/detection/decide';
import type { TableToken, Verdict } from '../../../src/detection/detection';
import type { CursorSettings, DetectionStrategy } from '../../../src/pipeline/pipeline';
import { eventually } from '../../support/eventually';
import { tableOf } from './reading';
import type { TestServer } from './server';

export const DAY = 86_400_000;

export interface Asked {
  readonly strategy?: DetectionStrategy;
  readonly where?: string;
  readonly cursor?: CursorSettings;
  readonly settleMarginMs?: number;
  readonly previous?: TableToken;
}

/** Changes tables of the schema public and asks what a source makes of it. */
export function createObserver(server: TestServer) {
  const source = server.source();

  /** Runs statements in a session of its own, whose counts are handed over when it ends. */
  const change = async (...statements: string[]) => {
    const client = await server.client();
    for (const statement of statements) await client.query(statement);
    await client.end();
  };

  const token = async (table: string, asked: Asked = {}): Promise<TableToken> => {
    const found = await tableOf(source, `public.${table}`);
    const request = { table: found, strategy: 'auto', settleMarginMs: 0, ...asked } as const;
    const read = (await source.readTokens([request])).get(found.id);
    assert.ok(read);
    return read;
  };

  const verdict = async (
    table: string,
    previous: TableToken,
    { strategy = 'token', ...asked }: Asked = {},
  ): Promise<Verdict> => {
    const current = await token(table, { strategy, previous, ...asked });
    return decide({ previous, current, strategy, maxSkipAgeMs: DAY });
  };

  /** Counters come late; what must never be is that they do not come. */
  const detects = (
    table: string,
    previous: TableToken,
    reason: RegExp,
    asked: Asked = {},
    expected: readonly Verdict['verdict'][] = ['changed'],
  ) =>
    eventually(async () => {
      const seen = await verdict(table, previous, asked);
      assert.ok(expected.includes(seen.verdict), `${seen.verdict}: ${seen.reason}`);
      assert.match(seen.reason, reason);
    }, 15_000);

  const stays = async (table: string, previous: TableToken, asked: Asked = {}) => {
    const seen = await verdict(table, previous, asked);
    assert.equal(seen.verdict, 'unchanged', seen.reason);
  };

  /** Makes a table with rows and waits until they are counted. */
  const make = async (table: string, definition: string, rows = 10) => {
    await change(
      `CREATE ${definition}`,
      `INSERT INTO ${table} SELECT i FROM generate_series(1, ${rows}) AS i`,
    );
    await counted(table, rows);
  };
  /** Waits until the server has counted so many inserts. */
  const counted = (table: string, rows: number) =>
    eventually(async () => {
      const read = await server.sql(
        `SELECT sum(pg_stat_get_tuples_inserted(relid)) FROM (
             SELECT '${table}'::regclass AS relid UNION SELECT relid FROM pg_partition_tree('${table}')) AS t`,
      );
      assert.equal(read[0]?.[0], String(rows));
    });

  return { change, token, verdict, detects, stays, make, counted };
}
