import type { Evidence } from '../../../detection/detection';
import type { Session, TextRow } from '../connection';
import { firstUnderstood, isOn, whereAllowed, type ServerState } from '../server';
import type { LogPosition } from './binlog-events';
import type { OpenTransaction } from './transactions';

/** Where the binary log stands: evidence for every table, before their own doubts. */
export interface LogEvidence {
  readonly identity: Evidence['identity'];
  readonly values: Evidence['values'];
  readonly distrust: string | undefined;
}

export const BLIND_TO = 'sessions with sql_log_bin = 0';

/** What is in a `log` evidence's values. */
export interface LogValues {
  readonly position: LogPosition;
  /** MySQL with GTIDs. */
  readonly gtidExecuted: string | undefined;
  /** MariaDB: what was replicated to this server, which its own log may not hold. */
  readonly replicatedTo: string | undefined;
}

/**
 * Reads where the log stands, as of a moment that any later snapshot includes:
 *
 * - MySQL with GTIDs: gtid_executed is updated after the commit in the engine.
 * - MySQL without: the position runs ahead of the commit, so that it counts only while no other
 *   session has uncommitted rows (`readTransactions`, asked after the position).
 * - MariaDB: the position that belongs to a consistent snapshot
 *   (https://mariadb.com/kb/en/enhancements-for-start-transaction-with-consistent-snapshot/).
 */
export async function readLogEvidence(
  session: Session,
  state: ServerState,
  readTransactions: () => Promise<readonly OpenTransaction[] | undefined>,
): Promise<LogEvidence> {
  const identity = {
    server: state.identity,
    // RESET BINARY LOGS starts the positions and GTIDs over.
    resets: state.status.get('Com_reset') ?? null,
  };
  const distrusted = (distrust: string) => ({ identity, values: {}, distrust });
  if (!isOn(state.variables, 'log_bin')) return distrusted('the binary log is off');

  const status = await readLogStatus(session, state);
  if (status === undefined) {
    const right = state.mariadb ? 'BINLOG MONITOR' : 'REPLICATION CLIENT';
    return distrusted(
      `the user may not see the position of the binary log: GRANT ${right} ON *.* TO ${state.grantee}`,
    );
  }
  const doubt = serverDoubt(state, status['Binlog_Do_DB'], status['Binlog_Ignore_DB']);
  const position = { file: status['File'] ?? null, position: status['Position'] ?? null };
  if (state.mariadb) {
    const values = await readMariadbSnapshotPosition(session);
    const replicated = { gtid_slave_pos: state.variables.get('gtid_slave_pos') ?? null };
    return { identity, values: { ...values, ...replicated }, distrust: doubt };
  }
  if (state.variables.get('gtid_mode') === 'ON') {
    const [row] = await session.query('SELECT @@GLOBAL.gtid_executed AS gtid_executed');
    const executed = (row?.['gtid_executed'] ?? '').replace(/\s+/g, '');
    return { identity, values: { gtid_executed: executed, ...position }, distrust: doubt };
  }
  return { identity, values: position, distrust: doubt ?? (await pendingDoubt(readTransactions)) };
}

/** Where the log ends and what it leaves out; undefined where the user may not know. */
export async function readLogStatus(
  session: Session,
  { mariadb }: ServerState,
): Promise<TextRow | undefined> {
  // MySQL 8.4 knows the first form only, MySQL before 8.2 the second.
  const statements = ['SHOW BINARY LOG STATUS', 'SHOW MASTER STATUS'];
  const rows = await firstUnderstood(session, mariadb ? ['SHOW MASTER STATUS'] : statements);
  return rows?.[0];
}

/** Why this server's log does not hold every change of every table. */
function serverDoubt(
  { replica, replicates, variables }: ServerState,
  ...filters: readonly (string | null | undefined)[]
): string | undefined {
  if (replica !== undefined) return replica;
  if (filters.some((filter) => (filter ?? '') !== '')) {
    return 'the binary log is filtered (binlog-do-db, binlog-ignore-db)';
  }
  const logsReplicated =
    isOn(variables, 'log_replica_updates') || isOn(variables, 'log_slave_updates');
  const receives = replicates === true || isOn(variables, 'wsrep_on');
  return receives && !logsReplicated
    ? 'changes replicated to this server are not in its binary log (log_replica_updates is off)'
    : undefined;
}

async function readMariadbSnapshotPosition(session: Session): Promise<Evidence['values']> {
  await session.query('START TRANSACTION WITH CONSISTENT SNAPSHOT');
  try {
    const rows = await session.query(`SHOW STATUS LIKE 'binlog\\_snapshot\\_%'`);
    const values = new Map(
      rows.map((row) => [(row['Variable_name'] ?? '').toLowerCase(), row['Value'] ?? null]),
    );
    return {
      file: values.get('binlog_snapshot_file') ?? null,
      position: values.get('binlog_snapshot_position') ?? null,
    };
  } finally {
    await session.query('ROLLBACK');
  }
}

async function pendingDoubt(
  readTransactions: () => Promise<readonly OpenTransaction[] | undefined>,
): Promise<string | undefined> {
  const advice = 'the position counts only between transactions: turn gtid_mode on';
  const list = await whereAllowed(readTransactions().then((transactions) => ({ transactions })));
  if (list === undefined) {
    return `without the right PROCESS open transactions cannot be seen; ${advice}`;
  }
  if (list.transactions === undefined) return `no current list of transactions; ${advice}`;
  return list.transactions.some(({ modified }) => modified)
    ? `a transaction is open; ${advice}`
    : undefined;
}

/** The values of a `log` evidence, or undefined where it holds no position. */
export function logValuesOf({ values }: Pick<Evidence, 'values'>): LogValues | undefined {
  const { file, position } = values;
  if (file === null || file === undefined || file === '') return undefined;
  return {
    position: { file, position: Number(position) },
    gtidExecuted: values['gtid_executed'] ?? undefined,
    replicatedTo: values['gtid_slave_pos'] ?? undefined,
  };
}
