import { createHash } from 'node:crypto';
import { ComportaError } from '../../errors';
import type { Session, TextRow } from './connection';
import { quoteList } from './identifiers';

export interface ServerFacts {
  readonly mariadb: boolean;
  readonly version: string;
}

/** The kind of server. One query. */
export async function readServerFacts(session: Session): Promise<ServerFacts> {
  const [row] = await session.query(`SELECT VERSION() AS version, @@version_comment AS comment`);
  const version = row?.['version'] ?? '';
  return {
    version,
    // A MariaDB can be told to call itself something else, but hardly in both places.
    mariadb: /mariadb/i.test(`${version} ${row?.['comment'] ?? ''}`),
  };
}

/** Everything about the server as a whole that bears on detection, at one moment. */
export interface ServerState extends ServerFacts {
  /** Tells this server from every other: MySQL's server_uuid, a digest of what MariaDB has instead. */
  readonly identity: string;
  /** When the server was started, seconds since 1970. */
  readonly startedAt: string;
  /** UTC, ISO 8601 with microseconds. */
  readonly sourceTime: string;
  readonly variables: ReadonlyMap<string, string>;
  readonly status: ReadonlyMap<string, string>;
  /** Whether changes arrive from another server; undefined where the user may not know. */
  readonly replicates: boolean | undefined;
  /** Why its tokens do not count: it is a reader. */
  readonly replica: string | undefined;
  /** The user as GRANT takes it: `'name'@'host'`. */
  readonly grantee: string;
}

const VARIABLES = [
  ...['server_uuid', 'server_uid', 'server_id', 'hostname', 'port', 'datadir'],
  ...['log_bin', 'gtid_mode', 'gtid_slave_pos', 'log_replica_updates', 'log_slave_updates'],
  ...['innodb_read_only', 'read_only', 'wsrep_on'],
];

const STATUS = ['Com_reset', 'Slaves_running'];

export async function readServerState(session: Session): Promise<ServerState> {
  const facts = await readServerFacts(session);
  // Uptime is the second in which this statement began minus the second of the server's start
  // (show_starttime in sql/mysqld.cc of both), so that in one statement the difference is exact.
  const statusTable = facts.mariadb
    ? 'information_schema.GLOBAL_STATUS'
    : 'performance_schema.global_status';
  const [clock] = await session.query(
    `SELECT DATE_FORMAT(UTC_TIMESTAMP(6), '%Y-%m-%dT%H:%i:%s.%fZ') AS source_time, CURRENT_USER() AS user,
            (SELECT UNIX_TIMESTAMP() - CAST(VARIABLE_VALUE AS UNSIGNED) FROM ${statusTable}
             WHERE VARIABLE_NAME = 'Uptime') AS started_at`,
  );
  const variables = await named(session, 'VARIABLES', VARIABLES);
  const status = await named(session, 'STATUS', STATUS);
  const replicates = await readReplication(session, facts, status);
  return {
    ...facts,
    identity: identityOf(variables),
    startedAt: clock?.['started_at'] ?? '',
    sourceTime: clock?.['source_time'] ?? '',
    variables,
    status,
    replicates,
    replica: replicaReason(variables, replicates),
    grantee: granteeOf(clock?.['user'] ?? ''),
  };
}

async function named(
  session: Session,
  what: 'VARIABLES' | 'STATUS',
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await session.query(
    `SHOW GLOBAL ${what} WHERE Variable_name IN (${quoteList(names)})`,
  );
  return new Map(rows.map((row) => [row['Variable_name'] ?? '', row['Value'] ?? ''] as const));
}

export function isOn(variables: ReadonlyMap<string, string>, name: string): boolean {
  const value = variables.get(name) ?? '';
  return value === 'ON' || value === '1';
}

function identityOf(variables: ReadonlyMap<string, string>): string {
  const uuid = variables.get('server_uuid');
  if (uuid !== undefined && uuid !== '') return uuid;
  const parts = ['server_uid', 'server_id', 'hostname', 'port', 'datadir'];
  const text = parts.map((name) => `${name}=${variables.get(name) ?? ''}`).join('\n');
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/** `user@host`, where the user may hold an @ but the host may not. */
function granteeOf(currentUser: string): string {
  const split = currentUser.lastIndexOf('@');
  const quoted = (part: string) => `'${part.replaceAll("'", "''")}'`;
  return `${quoted(currentUser.slice(0, split))}@${quoted(currentUser.slice(split + 1))}`;
}

/** The statements that show replication, newest first; a server refuses those it does not know. */
const REPLICATION_MYSQL = ['SHOW REPLICA STATUS', 'SHOW SLAVE STATUS'];
const REPLICATION_MARIADB = ['SHOW ALL SLAVES STATUS'];

async function readReplication(
  session: Session,
  { mariadb }: ServerFacts,
  status: ReadonlyMap<string, string>,
): Promise<boolean | undefined> {
  const statements = mariadb ? REPLICATION_MARIADB : REPLICATION_MYSQL;
  const rows = await firstUnderstood(session, statements);
  if (rows !== undefined) return rows.length > 0;
  // MariaDB lets everybody know whether a replication thread runs.
  return Number(status.get('Slaves_running') ?? 0) > 0 ? true : undefined;
}

/** The answer to the first statement that the server knows; undefined when it denies it. */
export async function firstUnderstood(
  session: Session,
  statements: readonly string[],
): Promise<readonly TextRow[] | undefined> {
  for (const statement of statements) {
    try {
      return await session.query(statement);
    } catch (error) {
      if (!(error instanceof ComportaError)) throw error;
      if (error.code === 'PermissionDenied') return undefined;
      if (error.code !== 'SourceRejected') throw error;
    }
  }
  return undefined;
}

/** The answer, or undefined where the user has no right to it. */
export async function whereAllowed<Answer>(asked: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof ComportaError && error.code === 'PermissionDenied') return undefined;
    throw error;
  }
}

function replicaReason(
  variables: ReadonlyMap<string, string>,
  replicates: boolean | undefined,
): string | undefined {
  if (isOn(variables, 'innodb_read_only')) {
    return 'this server is a reader (innodb_read_only): connect to the writer';
  }
  if (!isOn(variables, 'read_only') || replicates === false) return undefined;
  return replicates === true
    ? 'this server is a replica (read_only): connect to the writer'
    : 'this server is read_only and may be a replica: connect to the writer, or let the user see the replica status';
}
