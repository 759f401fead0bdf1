import type { Batch } from '../../columnar/batch';
import { KernelMemory } from '../../columnar/kernels/memory';
import { BatchBuilder } from '../../columnar/vectors';
import { ComportaError } from '../../errors';
import type { DatabaseConnection, TableSettings } from '../../pipeline/pipeline';
import { createMasker } from '../../pipeline/mask';
import type { SecretStore } from '../../pipeline/secrets';
import type { ReadStatistics, RowFilter, SourceTable, TableSnapshot } from '../source';
import { CopyStream } from './copy/copy-stream';
import { createKernel, type Kernel, type KernelContext } from './copy/kernel';
import { describeTable, printedValue, type PostgresDescription } from './describe';
import { cursorColumn, whereClause } from './filter';
import { quoteIdentifier, quoteQualified } from './identifiers';
import { planColumns, type PlannedColumn } from './plan';
import { openSession, type Session } from './session';
import { split, splitKey } from './split';
import { sqlColumn } from './sql-columns';
import { beginSnapshot, sessionSettings } from './transaction';

/**
 * One REPEATABLE READ, READ ONLY transaction on a connection of its own. A table with children by
 * INHERITS is read with them, as SELECT does; so is a partitioned table. When `signal` is aborted,
 * what runs on the server is cancelled and everything here fails with SourceInterrupted.
 */
export async function openSnapshot(
  connection: DatabaseConnection,
  secrets: SecretStore,
  table: SourceTable,
  signal: AbortSignal,
  shared?: string,
): Promise<TableSnapshot> {
  const cancelled = () =>
    new ComportaError('SourceInterrupted', 'the load was cancelled', {
      table: table.id,
      cause: signal.reason,
    });
  if (signal.aborted) throw cancelled();
  const session = await openSession(connection, secrets);
  const abort = () => void session.abort(cancelled());
  signal.addEventListener('abort', abort, { once: true });
  const close = async () => {
    signal.removeEventListener('abort', abort);
    await session.close();
  };
  try {
    if (signal.aborted) throw cancelled();
    await beginSnapshot(session, table, shared);
    const description = await describeTable(session, table);
    return createSnapshot(session, secrets, description, close);
  } catch (error) {
    await close();
    throw error;
  }
}

function createSnapshot(
  session: Session,
  secrets: SecretStore,
  description: PostgresDescription,
  close: () => Promise<void>,
): TableSnapshot {
  const { table } = description;
  const relation = quoteQualified(table);
  const subject = ({ where }: RowFilter) => ({ table, ...(where === undefined ? {} : { where }) });
  let rowsSent: number | undefined;

  const maximumQuery = (name: string, filter: RowFilter) => {
    const column = cursorColumn(description, name);
    const quoted = quoteIdentifier(column.name);
    const where = whereClause(description, filter, [`${quoted} IS NOT NULL`]);
    // Not max(): there is none for uuid, boolean and others that have an order.
    return `SELECT ${printedValue(column)} AS maximum FROM ${relation}${where} ORDER BY ${quoted} DESC LIMIT 1`;
  };
  const assertCursor = (name: string, value: string) => {
    const column = cursorColumn(description, name);
    if (isEndless(column.type.name, value)) throw endlessCursor(table.id, column.name, value);
  };

  return {
    description,
    plan: (settings) => ({ columns: planColumns(description, settings).map(({ spec }) => spec) }),

    async tryFilter({ where, cursor }) {
      if (cursor !== undefined) cursorColumn(description, cursor.column);
      if (where === undefined) return;
      const filter = { where };
      const sql = `SELECT 1 FROM ${relation}${whereClause(description, filter)} LIMIT 0`;
      await session.query(sql, [], subject(filter));
    },

    async count(filter) {
      const sql = `SELECT count(*) AS count FROM ${relation}${whereClause(description, filter)}`;
      const [row] = await session.query(sql, [], subject(filter));
      return Number(row?.count);
    },

    async maximum(name, filter) {
      const [row] = await session.query(maximumQuery(name, filter), [], subject(filter));
      const maximum = row?.maximum ?? undefined;
      if (maximum !== undefined) assertCursor(name, maximum);
      return maximum;
    },

    async *read(settings, filter, statistics, memory = new KernelMemory()) {
      rowsSent = undefined;
      const target = { settings, filter, statistics, memory };
      rowsSent = yield* readRows(session, secrets, description, target);
    },

    inSql({ cursor, ...settings }, filter) {
      const rows = filter.where === undefined ? {} : { where: filter.where };
      return {
        columns: planColumns(description, settings).map(sqlColumn),
        from: ` FROM ${relation}${whereClause(description, filter)}`,
        session: sessionSettings(session.version),
        ...(cursor === undefined ? {} : { maximum: `(${maximumQuery(cursor.column, rows)})` }),
      };
    },
    assertCursor,

    rowsSent: () =>
      rowsSent === undefined
        ? Promise.reject(new RangeError('no read has come to its end'))
        : Promise.resolve(rowsSent),

    splitKey: () => splitKey(session, description),
    split: (key, count) => split(session, description, key, count),

    async share() {
      const [row] = await session.query('SELECT pg_export_snapshot() AS name', [], { table });
      return row?.name ?? undefined;
    },

    close,
  };
}

const ENDLESS_TYPES = new Set(['date', 'timestamp', 'timestamptz', 'float4', 'float8', 'numeric']);

function isEndless(type: string, value: string): boolean {
  return ENDLESS_TYPES.has(type) && /^(infinity|NaN)$/i.test(value);
}

/** From infinity on there is nothing new, ever: such a cursor would go blind without a word. */
function endlessCursor(table: string, column: string, value: string): ComportaError {
  return new ComportaError('ValueUnfaithful', `cursor column ${column} reaches ${value}`, {
    table,
    remedy: `leave such rows out, for example where: ${quoteIdentifier(column)} < '${value}', or use mode: full`,
  });
}

interface Reading {
  readonly settings: TableSettings;
  readonly filter: RowFilter;
  readonly statistics: ReadStatistics;
  readonly memory: KernelMemory;
}

/** Returns how many rows the server says it sent. */
async function* readRows(
  session: Session,
  secrets: SecretStore,
  description: PostgresDescription,
  { settings, filter, statistics, memory }: Reading,
): AsyncGenerator<Batch, number | undefined> {
  const { table } = description;
  const columns = planColumns(description, settings);
  const builder = new BatchBuilder(
    columns.map(({ spec }) => spec),
    memory,
  );
  const context = { table: table.id, statistics, memory };
  const kernels = await Promise.all(
    columns.map((column, i) => columnKernel(column, builder, i, context, secrets)),
  );
  const list = columns.map(({ select }) => select).join(', ');
  const query = `SELECT ${list} FROM ${quoteQualified(table)}${whereClause(description, filter)}`;
  const copy = `COPY (${query}) TO STDOUT (FORMAT binary)`;
  const rows = new CopyStream(copy, columns.length, session.wire, memory);
  const subject = { table, ...(filter.where === undefined ? {} : { where: filter.where }) };
  try {
    session.stream(rows);
    while (await session.attend(subject, () => rows.next())) {
      for (const kernel of kernels) kernel(rows.fields);
      builder.rows = rows.fields.rows;
      statistics.rows += builder.rows;
      yield builder;
      builder.clear();
    }
    return rows.rowsSent;
  } catch (error) {
    throw session.failure(error, subject);
  } finally {
    // The reader left early, or a value could not be taken: the server still sends.
    if (!rows.isEnded) {
      await session.abort(
        new ComportaError('SourceInterrupted', 'the reading was given up', { table: table.id }),
      );
    }
  }
}

async function columnKernel(
  column: PlannedColumn,
  builder: BatchBuilder,
  index: number,
  context: KernelContext,
  secrets: SecretStore,
): Promise<Kernel> {
  const vector = builder.columns[index];
  if (vector === undefined) throw new RangeError(`no vector for column ${column.spec.name}`);
  const masker = column.mask === undefined ? undefined : await createMasker(column.mask, secrets);
  return createKernel(column, index, vector, {
    ...context,
    ...(masker === undefined ? {} : { masker }),
  });
}
