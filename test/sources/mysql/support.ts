import assert from 'node:assert/strict';
import { createConnection, type Connection } from 'mysql2/promise';
import type { Batch } from '../../../src/columnar/batch';
import { BooleanVector, BytesVector, type Vector } from '../../../src/columnar/vectors';
import { decide } from '../../../src/detection/decide';
import type { TableToken, Verdict } from '../../../src/detection/detection';
import type { DatabaseConnection, TableSettings } from '../../../src/pipeline/pipeline';
import { localSecretStore } from '../../../src/pipeline/secrets';
import {
  createMysqlSource,
  type MysqlSourceOptions,
} from '../../../src/sources/mysql/mysql-source';
import { quoteIdentifier } from '../../../src/sources/mysql/identifiers';
import type {
  ReadStatistics,
  RowFilter,
  Source,
  SourceTable,
  TableSnapshot,
  TokenRequest,
} from '../../../src/sources/source';
import type { DatabaseService } from '../../../scripts/services/service';
import { eventually } from '../../support/eventually';
import { sharedMariadb, sharedMysql, uniqueName } from '../../support/servers';
import { memories } from '../../support/memories';
import { FULL_LOAD } from '../../support/table-settings';

/** The servers that a behaviour is tested on, each as `[name, its shared instance]`. */
export const SERVERS = [
  { name: 'MySQL', mariadb: false, service: sharedMysql },
  { name: 'MariaDB', mariadb: true, service: sharedMariadb },
] as const;

export const secrets = localSecretStore({ MYSQL_PASSWORD: 'comporta', SALT: 'pepper' });

export function connectionTo(
  service: Pick<DatabaseService, 'host' | 'port' | 'user'>,
  database: string,
  changes: Partial<DatabaseConnection> = {},
): DatabaseConnection {
  return {
    type: 'mysql',
    name: 'shop',
    host: service.host,
    port: service.port,
    user: service.user,
    password: { from: 'env', name: 'MYSQL_PASSWORD' },
    database,
    tls: { mode: 'prefer' },
    connectTimeoutMs: 10_000,
    silenceTimeoutMs: 15_000,
    ...changes,
  };
}

/** A database of its own on a server, with a connection that may do everything. */
export interface TestDatabase {
  readonly name: string;
  readonly connection: DatabaseConnection;
  readonly source: Source;
  /** Runs statements one after another; the rows of the last one. */
  run(...statements: string[]): Promise<Record<string, unknown>[]>;
  /** Another session, e.g. for a transaction that stays open. Closed by `drop`. */
  session(): Promise<Connection>;
  table(name: string): Promise<SourceTable>;
  drop(): Promise<void>;
}

export async function createTestDatabase(
  service: DatabaseService,
  options: MysqlSourceOptions = {},
  stem = 'mysql',
): Promise<TestDatabase> {
  const name = uniqueName(stem);
  const sessions: Connection[] = [];
  const session = async (database?: string) => {
    const opened = await createConnection({
      host: service.host,
      port: service.port,
      user: service.user,
      password: service.password,
      database,
      charset: 'utf8mb4',
      dateStrings: true,
      supportBigNumbers: true,
    });
    sessions.push(opened);
    return opened;
  };
  const admin = await session();
  await admin.query(`CREATE DATABASE ${quoteIdentifier(name)}`);
  await admin.query(`USE ${quoteIdentifier(name)}`);
  await admin.query(`SET SESSION sql_mode = '', time_zone = '+00:00'`);
  const connection = connectionTo(service, name);
  const source = createMysqlSource(connection, secrets, options);
  return {
    name,
    connection,
    source,
    async run(...statements) {
      let rows: unknown;
      for (const statement of statements) [rows] = await admin.query(statement);
      return rows as Record<string, unknown>[];
    },
    session: () => session(name),
    async table(tableName) {
      const found = (await source.listTables()).find((table) => table.name === tableName);
      if (found === undefined) throw new Error(`no table ${tableName}`);
      return found;
    },
    async drop() {
      await source.close();
      await admin.query(`DROP DATABASE ${quoteIdentifier(name)}`);
      for (const opened of sessions) await opened.end();
    },
  };
}

/** Opens a snapshot, works with it and closes it. */
export async function withSnapshot<Result>(
  source: Source,
  table: SourceTable,
  work: (snapshot: TableSnapshot) => Promise<Result>,
): Promise<Result> {
  const snapshot = await source.openSnapshot(table, new AbortController().signal);
  try {
    return await work(snapshot);
  } finally {
    await snapshot.close();
  }
}

/** A whole table as JavaScript values, see `valuesOf`. */
export async function readAll(
  source: Source,
  table: SourceTable,
  settings: Partial<TableSettings> = {},
  filter: RowFilter = {},
  statistics: ReadStatistics = { rows: 0, invalidValues: 0 },
): Promise<unknown[][]> {
  return withSnapshot(source, table, async (snapshot) => {
    const rows: unknown[][] = [];
    const chosen = { ...FULL_LOAD, ...settings };
    await memories.lend(async (memory) => {
      for await (const batch of snapshot.read(chosen, filter, statistics, memory)) {
        rows.push(...rowsOf(batch));
      }
    });
    assert.equal(await snapshot.rowsSent(), rows.length);
    return rows;
  });
}

export function rowsOf(batch: Batch): unknown[][] {
  const columns = batch.columns.map(valuesOf);
  return Array.from({ length: batch.rows }, (_, row) => columns.map((column) => column[row]));
}

/** A vector as values: bigint for 64 bits and decimals (unscaled), text, and bytes as hexadecimal. */
export function valuesOf(vector: Vector): unknown[] {
  let next = 0;
  return Array.from({ length: vector.rows }, (_, row) =>
    vector.valid[row] === 1 ? valueAt(vector, next++) : null,
  );
}

function valueAt(vector: Vector, index: number): unknown {
  const { type } = vector.spec;
  if (vector instanceof BytesVector) {
    const bytes = vector.data.subarray(vector.starts[index], vector.ends[index]);
    if (type.kind === 'text' || type.kind === 'json') return bytes.toString('utf8');
    if (type.kind === 'decimal') {
      return (bytes.readBigInt64BE(0) << 64n) + bytes.readBigUInt64BE(8);
    }
    return bytes.toString('hex');
  }
  const value = vector.data[index]!;
  if (vector instanceof BooleanVector) return value === 1;
  if (type.kind !== 'int' || type.signed) return value;
  return typeof value === 'bigint' ? BigInt.asUintN(64, value) : value >>> 0;
}

export const MARGIN_MS = 1_500;

/** Reads the token of one table. */
export async function tokenOf(
  source: Source,
  table: SourceTable,
  request: Partial<TokenRequest> = {},
): Promise<TableToken> {
  return (await tokensOf(source, [table], request)).get(table.id)!;
}

function tokensOf(
  source: Source,
  tables: readonly SourceTable[],
  request: Partial<TokenRequest>,
): Promise<ReadonlyMap<string, TableToken>> {
  return source.readTokens(
    tables.map((table) => ({ table, strategy: 'auto', settleMarginMs: MARGIN_MS, ...request })),
  );
}

/** Reads tokens until everything in them is trusted. */
export async function settledTokensOf(
  source: Source,
  tables: readonly SourceTable[],
  request: Partial<TokenRequest> = {},
): Promise<ReadonlyMap<string, TableToken>> {
  let tokens: ReadonlyMap<string, TableToken> = new Map();
  await eventually(async () => {
    tokens = await tokensOf(source, tables, request);
    for (const [id, { evidence }] of tokens) {
      for (const { distrust } of evidence) assert.equal(distrust, undefined, id);
    }
  }, 15_000);
  return tokens;
}

export async function settledTokenOf(
  source: Source,
  table: SourceTable,
  request: Partial<TokenRequest> = {},
): Promise<TableToken> {
  return (await settledTokensOf(source, [table], request)).get(table.id)!;
}

/** Compares a table's present token with an earlier one, as the planner does. */
export async function verdictOf(
  source: Source,
  table: SourceTable,
  previous: TableToken,
  request: Partial<TokenRequest> = {},
): Promise<Verdict> {
  const current = await tokenOf(source, table, { ...request, previous });
  return decide({
    previous,
    current,
    strategy: request.strategy ?? 'auto',
    maxSkipAgeMs: 86_400_000,
  });
}

/** Fails unless the table would load. */
export function assertLoads(verdict: Verdict): void {
  assert.notEqual(verdict.verdict, 'unchanged', verdict.reason);
}

export function assertUnchanged(verdict: Verdict): void {
  assert.equal(verdict.verdict, 'unchanged', verdict.reason);
}

export function assertChanged(verdict: Verdict, reason: RegExp): void {
  assert.equal(verdict.verdict, 'changed', verdict.reason);
  assert.match(verdict.reason, reason);
}

export function assertUnknown(verdict: Verdict, reason: RegExp): void {
  assert.equal(verdict.verdict, 'unknown', verdict.reason);
  assert.match(verdict.reason, reason);
}
