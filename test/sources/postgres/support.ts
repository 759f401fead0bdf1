import { Client } from 'pg';
import { startPostgres, type PostgresOptions } from '../../../scripts/services/postgres';
import type { NativeDatabaseService } from '../../../scripts/services/service';
import type { Vector } from '../../../src/columnar/vectors';
import type { DatabaseConnection, TableSettings } from '../../../src/pipeline/pipeline';
import type { SecretStore } from '../../../src/pipeline/secrets';
import { createPostgresSource } from '../../../src/sources/postgres/postgres-source';
import type { Wait } from '../../../src/sources/postgres/tokens';
import type { ReadStatistics, RowFilter, Source, SourceTable } from '../../../src/sources/source';
import type { ColumnSpec } from '../../../src/types/logical';
import type { Value } from '../../support/columns';

export const VERSIONS = [17, 13] as const;

/** A server of a test file's own, and a client that may do everything on it. */
export interface TestServer {
  readonly service: NativeDatabaseService;
  readonly connection: DatabaseConnection;
  /** Runs statements as the superuser; every value comes as text. */
  sql(statement: string, values?: readonly unknown[]): Promise<(string | null)[][]>;
  /** Another session of the superuser, ended with the server at the latest. */
  client(): Promise<Client>;
  source(options?: SourceOptions): Source;
  stop(): Promise<void>;
}

interface SourceOptions {
  readonly schemas?: readonly string[];
  readonly user?: string;
  readonly wait?: Wait;
  readonly connection?: Partial<DatabaseConnection>;
}

const SECRET = { from: 'env', name: 'PASSWORD' } as const;

export async function startServer(options: PostgresOptions): Promise<TestServer> {
  const service = await startPostgres(options);
  const clients = new Set<Client>();
  const { host, port, user, password, database } = service;
  const connection: DatabaseConnection = {
    type: 'postgres',
    name: 'shop',
    host,
    port,
    user,
    password: SECRET,
    database,
    tls: { mode: 'disable' },
    connectTimeoutMs: 5_000,
  };
  const secrets: SecretStore = { read: () => Promise.resolve(password) };
  const open = async () => {
    const client = new Client({ host, port, user, password, database, types: asText });
    client.on('error', () => clients.delete(client));
    await client.connect();
    clients.add(client);
    return client;
  };
  let admin: Client | undefined;

  return {
    service,
    connection,
    async sql(statement, values = []) {
      if (admin === undefined || !clients.has(admin)) admin = await open();
      const config = { text: statement, values: [...values], rowMode: 'array' as const };
      const result: unknown = await admin.query<(string | null)[]>(config);
      const last = (Array.isArray(result) ? result.at(-1) : result) as {
        rows: (string | null)[][];
      };
      return last.rows;
    },
    client: open,
    source: ({ schemas = ['public'], user: role, wait, connection: changes } = {}) =>
      createPostgresSource(
        { ...connection, ...(role === undefined ? {} : { user: role }), ...changes },
        schemas,
        secrets,
        wait === undefined ? {} : { wait },
      ),
    async stop() {
      await Promise.allSettled([...clients].map((client) => client.end()));
      await service.stop();
    },
  };
}

const asText = { getTypeParser: () => (value: string) => value };

/** The settings of a table that nobody wrote anything about. */
export const PLAIN: TableSettings = {
  engine: 'embedded',
  mode: 'full',
  detection: { strategy: 'auto', settleMarginMs: 0, maxSkipAgeMs: 86_400_000 },
  timeoutMs: 60_000,
  maximumAttempts: 1,
  excludeColumns: [],
  textColumns: [],
  masks: {},
  invalidDates: 'null',
  onSchemaChange: 'accept',
  guard: { maxDropShare: 1 },
};

export interface ReadTable {
  readonly columns: readonly ColumnSpec[];
  readonly rows: readonly (readonly Value[])[];
  readonly count: number;
  readonly batches: number;
  readonly statistics: ReadStatistics;
}

/** Reads a whole table through a snapshot of its own. */
export async function readTable(
  source: Source,
  id: string,
  changes: Partial<TableSettings> = {},
  filter: RowFilter = {},
): Promise<ReadTable> {
  const snapshot = await source.openSnapshot(
    await tableOf(source, id),
    new AbortController().signal,
  );
  try {
    const settings = { ...PLAIN, ...changes };
    const { columns } = snapshot.plan(settings);
    const count = await snapshot.count(filter);
    const statistics = { rows: 0, invalidValues: 0 };
    const rows: Value[][] = [];
    let batches = 0;
    for await (const batch of snapshot.read(settings, filter, statistics)) {
      batches += 1;
      const values = batch.columns.map(vectorValues);
      for (let row = 0; row < batch.rows; row++) rows.push(values.map((all) => all[row] ?? null));
    }
    return { columns, rows, count, batches, statistics };
  } finally {
    await snapshot.close();
  }
}

export async function tableOf(source: Source, id: string): Promise<SourceTable> {
  const [table] = await source.listTables([id]);
  if (table === undefined) throw new Error(`no table ${id}`);
  return table;
}

/** A vector's values in row order; wide decimals as bigint, text as string. */
export function vectorValues(vector: Vector): Value[] {
  let at = 0;
  return Array.from({ length: vector.rows }, (_, row) =>
    vector.valid[row] === 1 ? valueAt(vector, at++) : null,
  );
}

function valueAt(vector: Vector, index: number): Value {
  switch (vector.storage) {
    case 'boolean':
      return vector.data[index] === 1;
    case 'fixed32':
    case 'fixed64':
    case 'float':
    case 'double':
      return vector.data[index] ?? null;
    case 'bytes': {
      const bytes = Buffer.from(
        vector.data.subarray(vector.offsets[index], vector.offsets[index + 1]),
      );
      const { kind } = vector.spec.type;
      if (kind === 'decimal') return BigInt.asIntN(128, BigInt(`0x${bytes.toString('hex')}`));
      return kind === 'text' || kind === 'json' ? bytes.toString('utf8') : bytes;
    }
  }
}

/** `YYYY-MM-DD`, ` BC` at its end for years before 1, as PostgreSQL takes it. */
export function dateLiteral(days: number): string {
  const { year, month, day } = civil(days);
  const pad = (value: number, width: number) => String(value).padStart(width, '0');
  const shown = year > 0 ? year : 1 - year;
  return `${pad(shown, 4)}-${pad(month, 2)}-${pad(day, 2)}${year > 0 ? '' : ' BC'}`;
}

/** `YYYY-MM-DD hh:mm:ss.ffffff`, ` BC` at its end for years before 1. */
export function timestampLiteral(microseconds: bigint): string {
  const DAY = 86_400_000_000n;
  const within = ((microseconds % DAY) + DAY) % DAY;
  const date = dateLiteral(Number((microseconds - within) / DAY));
  const [day = '', era = ''] = date.split(' ');
  return `${day} ${timeLiteral(within)}${era === '' ? '' : ' BC'}`;
}

export function timeLiteral(microseconds: bigint): string {
  const part = (divisor: bigint, modulus: bigint, width: number) =>
    String((microseconds / divisor) % modulus).padStart(width, '0');
  return `${part(3_600_000_000n, 100n, 2)}:${part(60_000_000n, 60n, 2)}:${part(1_000_000n, 60n, 2)}.${part(1n, 1_000_000n, 6)}`;
}

/** Year, month and day of days since 1970-01-01 in the proleptic Gregorian calendar. */
function civil(days: number): { year: number; month: number; day: number } {
  // Eras of 400 years that begin in March, so that the leap day is the last of its year.
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1,
  };
}
