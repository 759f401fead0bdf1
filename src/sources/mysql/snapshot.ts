import { KernelMemory } from '../../columnar/kernels/memory';
import { BatchBuilder } from '../../columnar/vectors';
import { ComportaError } from '../../errors';
import { createMasker } from '../../pipeline/mask';
import type { SecretStore } from '../../pipeline/secrets';
import type { RowFilter, SourceTable, TableSnapshot } from '../source';
import { cancelled, killStatement } from './cancel';
import { describeTable, type MysqlDescription } from './catalog';
import { SESSION_SETTINGS, type Session } from './connection';
import { cursorColumn, maximumExpression, whereClause } from './filter';
import { quoteTable } from './identifiers';
import { planColumns } from './plan';
import { readBatches, type BatchLimits } from './read';
import { readServerFacts } from './server';
import { splitKey } from './split/key-columns';
import { indexHint, split } from './split/split';
import { sqlColumn } from './sql-columns';

export interface SnapshotDependencies {
  readonly open: () => Promise<Session>;
  /** For statements that the server answers at once. */
  readonly openErrand: () => Promise<Session>;
  readonly secrets: SecretStore;
  readonly limits: BatchLimits;
}

/**
 * Opens a consistent view of one table on a connection of its own. The table is touched before it
 * is described: that takes its metadata lock, so its columns stay the same until the view is
 * closed. `signal` ends the view, whatever is running, here and on the server.
 */
export async function openSnapshot(
  dependencies: SnapshotDependencies,
  table: SourceTable,
  signal: AbortSignal,
): Promise<TableSnapshot> {
  if (signal.aborted) throw cancelled(table.id, signal);
  const session = await dependencies.open();
  const kills: Promise<void>[] = [];

  const stopKilling = session.onEnd(() => {
    // A server that cannot be asked any more runs nothing either, or will notice by itself.
    kills.push(killStatement(dependencies.openErrand, session).catch(() => undefined));
  });
  const onAbort = () => session.terminate(cancelled(table.id, signal));
  signal.addEventListener('abort', onAbort);
  const close = async () => {
    signal.removeEventListener('abort', onAbort);
    stopKilling();
    await session.close();
    await Promise.all(kills);
  };

  try {
    if (signal.aborted) onAbort();
    const subject = { table: table.id };
    await session.query('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ', subject);
    await session.query('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY', subject);
    await session.query(`SELECT 1 FROM ${quoteTable(table)} LIMIT 0`, subject);
    const facts = await readServerFacts(session);
    const description = await describeTable(session, facts, table);
    return createSnapshot(dependencies, session, description, close);
  } catch (error) {
    await close();
    throw session.failure(error, { table: table.id });
  }
}

function createSnapshot(
  { secrets, limits }: SnapshotDependencies,
  session: Session,
  description: MysqlDescription,
  close: () => Promise<void>,
): TableSnapshot {
  const { table } = description;
  const from = ` FROM ${quoteTable(table)}`;
  const subjectOf = ({ where }: RowFilter) => ({
    table: table.id,
    ...(where === undefined ? {} : { where }),
  });
  let reading = false;

  return {
    description,
    plan: (settings) => ({
      columns: planColumns(description, settings).map(({ spec }) => spec),
    }),
    async tryFilter({ where, cursor }) {
      if (cursor !== undefined) cursorColumn(description, cursor.column);
      if (where === undefined) return;
      const filter = { where };
      await session.query(
        `SELECT 1${from}${whereClause(description, filter)} LIMIT 0`,
        subjectOf(filter),
      );
    },
    async count(filter) {
      const [row] = await session.query(
        `SELECT COUNT(*) AS rows_found${from}${whereClause(description, filter)}`,
        subjectOf(filter),
      );
      return Number(row?.['rows_found']);
    },
    async maximum(column, filter) {
      const expression = maximumExpression(cursorColumn(description, column));
      const [row] = await session.query(
        `SELECT ${expression} AS largest${from}${whereClause(description, filter)}`,
        subjectOf(filter),
      );
      return row?.['largest'] ?? undefined;
    },
    async *read(settings, filter, statistics, memory = new KernelMemory()) {
      const columns = planColumns(description, settings);
      const hint = filter.range === undefined ? '' : indexHint(filter.range.key, 'FORCE');
      const sql = `SELECT ${columns.map(({ select }) => select).join(', ')}${from}${hint}${whereClause(description, filter)}`;
      const builder = new BatchBuilder(
        columns.map(({ spec }) => spec),
        memory,
      );
      const maskers = await Promise.all(
        columns.map(async ({ mask }) =>
          mask === undefined ? undefined : createMasker(mask, secrets),
        ),
      );
      reading = true;
      yield* readBatches(
        session,
        sql,
        subjectOf(filter),
        { columns, maskers, builder, memory },
        limits,
        statistics,
      );
      reading = false;
    },
    inSql({ cursor, ...settings }, filter) {
      const hint = filter.range === undefined ? '' : indexHint(filter.range.key, 'FORCE');
      const rows = filter.where === undefined ? {} : { where: filter.where };
      return {
        columns: planColumns(description, settings).map(sqlColumn),
        from: `${from}${hint}${whereClause(description, filter)}`,
        session: SESSION_SETTINGS,
        ...(cursor === undefined
          ? {}
          : {
              maximum: `(SELECT CAST(${maximumExpression(cursorColumn(description, cursor.column))} AS CHAR(1024))${from}${whereClause(description, rows)})`,
            }),
      };
    },
    // None of MySQL's types has a value without an end.
    assertCursor: () => undefined,
    async rowsSent() {
      // Of the last SELECT without a LIMIT, all rows of its answer (MySQL 8.4, "FOUND_ROWS()").
      const [row] = await session.query('SELECT FOUND_ROWS() AS rows_sent', subjectOf({}));
      return Number(row?.['rows_sent']);
    },
    splitKey: () => splitKey(session, description),
    split: (key, count) => split(session, description, key, count),
    // Nothing but a lock on all tables lets two of its connections begin at the same moment.
    share: () => Promise.resolve(undefined),
    async close() {
      // The rest of an answer that nobody takes would keep the session from ending in order.
      if (reading) {
        session.terminate(
          new ComportaError('SourceInterrupted', 'the snapshot was closed', { table: table.id }),
        );
      }
      await close();
    },
  };
}
