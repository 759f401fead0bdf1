import { ComportaError } from '../../errors';
import { failureFinding } from '../failure-finding';
import type { Finding, SourceTable } from '../source';
import type { Session } from './connection';
import { quoteTable } from './identifiers';
import { isOn, readServerState, whereAllowed, type ServerState } from './server';
import { readLogEvidence } from './tokens/log-position';
import { exactKey, readTableFacts } from './tokens/table-facts';
import type { OpenTransaction } from './tokens/transactions';

/**
 * Tries what a load and a detection need. What keeps tables from loading is an error; what makes
 * more of them load than changed is a warning.
 */
export async function checkSource(
  session: Session,
  connection: string,
  tables: readonly SourceTable[],
  readTransactions: () => Promise<readonly OpenTransaction[] | undefined>,
): Promise<readonly Finding[]> {
  const state = await readServerState(session);
  return [
    ...(await checkTables(session, state, tables)),
    ...(await checkToken(session, state, connection)),
    ...(await checkLog(session, state, connection, readTransactions)),
    ...(await checkEngines(session, connection, tables)),
  ];
}

/** A connection that cannot be opened is a finding as well, and the only one. */
export function connectionFinding(connection: string, error: unknown): Finding {
  const remedy = 'check that the server runs and can be reached from here';
  return failureFinding(`connection ${connection}`, error, remedy);
}

async function checkTables(
  session: Session,
  { grantee }: ServerState,
  tables: readonly SourceTable[],
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const table of tables) {
    try {
      await session.query(`SELECT 1 FROM ${quoteTable(table)} LIMIT 0`, { table: table.id });
    } catch (error) {
      if (!(error instanceof ComportaError) || error.retryable) throw error;
      findings.push({
        severity: 'error',
        subject: `table ${table.id}`,
        problem: error.message,
        remedy:
          error.code === 'PermissionDenied'
            ? `GRANT SELECT ON ${quoteTable(table)} TO ${grantee}`
            : (error.remedy ?? 'correct the table or the view, or exclude it'),
      });
    }
  }
  return findings;
}

function warning(connection: string, problem: string, remedy: string): Finding {
  return { severity: 'warning', subject: `connection ${connection}`, problem, remedy };
}

async function checkToken(
  session: Session,
  { grantee, replica }: ServerState,
  connection: string,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  if (replica !== undefined) {
    const problem = `no change can be ruled out, so every table loads each time: ${replica}`;
    findings.push(warning(connection, problem, 'set host to the writer'));
  }
  const allowed = await whereAllowed(
    session.query('SELECT 1 FROM information_schema.INNODB_TRX LIMIT 0'),
  );
  if (allowed === undefined) {
    const problem =
      'without the right PROCESS the time of the last change proves nothing, because open transactions and exchanged partitions cannot be seen';
    findings.push(warning(connection, problem, `GRANT PROCESS ON *.* TO ${grantee}`));
  }
  return findings;
}

async function checkLog(
  session: Session,
  state: ServerState,
  connection: string,
  readTransactions: () => Promise<readonly OpenTransaction[] | undefined>,
): Promise<readonly Finding[]> {
  const { grantee, mariadb, replica, variables } = state;
  if (replica !== undefined) return [];
  if (!isOn(variables, 'log_bin')) {
    const problem = 'the binary log is off, so that changes are detected by time stamps alone';
    const remedy = `start the server with log_bin, ${mariadb ? 'binlog_format=ROW' : 'gtid_mode=ON'}`;
    return [warning(connection, problem, remedy)];
  }
  const position = await whereAllowed(session.query('SHOW BINARY LOGS'));
  if (position === undefined) {
    const right = mariadb ? 'BINLOG MONITOR' : 'REPLICATION CLIENT';
    const problem = 'the position of the binary log cannot be read';
    return [warning(connection, problem, `GRANT ${right} ON *.* TO ${grantee}`)];
  }
  const findings: Finding[] = [];
  const events = await whereAllowed(session.query('SHOW BINLOG EVENTS LIMIT 1'));
  if (events === undefined) {
    const right = mariadb ? 'BINLOG MONITOR' : 'REPLICATION SLAVE';
    const problem =
      'the events of the binary log cannot be read, so that any change leaves all tables to weaker evidence';
    findings.push(warning(connection, problem, `GRANT ${right} ON *.* TO ${grantee}`));
  }
  if (!mariadb && variables.get('gtid_mode') !== 'ON') {
    const problem =
      'without GTIDs the position of the binary log proves nothing while a transaction is open';
    findings.push(warning(connection, problem, 'set gtid_mode=ON and enforce_gtid_consistency=ON'));
    return findings;
  }
  const { distrust } = await readLogEvidence(session, state, readTransactions);
  if (distrust !== undefined) {
    const remedy = 'change that setting, or rely on time stamps';
    findings.push(warning(connection, `the binary log proves nothing: ${distrust}`, remedy));
  }
  return findings;
}

const NAMES_SHOWN = 10;

async function checkEngines(
  session: Session,
  connection: string,
  tables: readonly SourceTable[],
): Promise<readonly Finding[]> {
  const stored = tables.filter(({ kind }) => kind !== 'view');
  if (stored.length === 0) return [];
  const facts = await readTableFacts(session, stored);
  const others = stored.filter((table) => {
    const engine = facts.get(exactKey(table))?.engine;
    return typeof engine === 'string' && engine !== 'InnoDB';
  });
  if (others.length === 0) return [];
  const names = others.slice(0, NAMES_SHOWN).map(({ id }) => id);
  const more = others.length > NAMES_SHOWN ? ` and ${others.length - NAMES_SHOWN} more` : '';
  return [
    warning(
      connection,
      `not InnoDB, so neither one consistent view nor a reliable time of the last change: ${names.join(', ')}${more}`,
      'ALTER TABLE … ENGINE = InnoDB, or detect their changes by checksum',
    ),
  ];
}
