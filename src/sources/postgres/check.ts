import { ComportaError } from '../../errors';
import type { DatabaseConnection } from '../../pipeline/pipeline';
import type { Finding, SourceTable } from '../source';
import { quoteIdentifier, quoteQualified } from './identifiers';
import type { Session } from './session';
import { beginReading } from './transaction';

type WithSession = <Result>(use: (session: Session) => Promise<Result>) => Promise<Result>;

/** Tries everything a load and a detection need, and says how to get what is missing. */
export async function checkSource(
  connection: DatabaseConnection,
  schemas: readonly string[],
  tables: readonly SourceTable[],
  withSession: WithSession,
): Promise<readonly Finding[]> {
  try {
    return await withSession(async (session) => {
      await beginReading(session);
      const findings = [
        ...(await checkServer(session, connection)),
        ...(await checkSchemas(session, connection, schemas)),
        ...(await checkTables(session, connection, tables)),
      ];
      await session.script('COMMIT');
      return findings;
    });
  } catch (error) {
    if (!(error instanceof ComportaError)) throw error;
    return [
      {
        severity: 'error',
        subject: `connection ${connection.name}`,
        problem: problemOf(error),
        remedy: error.remedy ?? 'look into the log of the server',
      },
    ];
  }
}

/** The message without the remedy, which a finding has a place of its own for. */
function problemOf({ message, remedy }: ComportaError): string {
  return remedy === undefined ? message : message.slice(0, -` — ${remedy}`.length);
}

const SERVER = `
SELECT pg_is_in_recovery()::int4 AS replica,
  current_setting('track_counts') AS track_counts,
  has_function_privilege('pg_control_system()', 'EXECUTE')::int4
    AS may_read_control,
  pg_has_role('pg_read_all_stats', 'USAGE')::int4 AS sees_sessions`;

async function checkServer(
  session: Session,
  { name, user }: DatabaseConnection,
): Promise<readonly Finding[]> {
  const [server] = await session.query(SERVER);
  const role = quoteIdentifier(user);
  const warning = (problem: string, remedy: string): Finding => ({
    severity: 'warning',
    subject: `connection ${name}`,
    problem,
    remedy,
  });
  const findings: Finding[] = [];
  if (server?.replica === '1') {
    findings.push(
      warning(
        'the server is a replica: only checksum and cursor can tell that a table did not change',
        'connect to the writer, or set detection.strategy to checksum',
      ),
    );
  }
  if (server?.track_counts !== 'on') {
    findings.push(
      warning(
        'track_counts is off: the server does not count changes, so the token is of no use',
        "ALTER SYSTEM SET track_counts = 'on'; SELECT pg_reload_conf()",
      ),
    );
  }
  if (session.version < 150_000) {
    findings.push(
      warning(
        'before PostgreSQL 15 a quiet session can keep its counts back, so a change may be seen late',
        'upgrade the server, or set detection.strategy to checksum where that matters',
      ),
    );
  }
  if (server?.may_read_control !== '1') {
    findings.push(
      warning(
        'the cluster cannot be identified beyond its start time',
        `GRANT EXECUTE ON FUNCTION pg_control_system() TO ${role}`,
      ),
    );
  }
  if (server?.sees_sessions !== '1') {
    findings.push(
      warning(
        'whether other sessions still hold back counts is hidden, so a plan may wait for settleMargin',
        `GRANT pg_read_all_stats TO ${role}`,
      ),
    );
  }
  return findings;
}

const SCHEMAS = `
SELECT w.name, (n.oid IS NOT NULL)::int4 AS present,
  has_schema_privilege(n.oid, 'USAGE')::int4 AS usable
FROM unnest($1::text[]) WITH ORDINALITY AS w (name, ordinal)
LEFT JOIN pg_namespace n ON n.nspname = w.name
ORDER BY w.ordinal`;

async function checkSchemas(
  session: Session,
  { name: connection, user, database }: DatabaseConnection,
  schemas: readonly string[],
): Promise<readonly Finding[]> {
  const rows = await session.query(SCHEMAS, [schemas]);
  return rows.flatMap(({ name, present, usable }): Finding[] => {
    const subject = `schema ${name ?? ''}`;
    if (present !== '1') {
      return [
        {
          severity: 'error',
          subject,
          problem: `database ${database} has no such schema`,
          remedy: `correct source.schemas of the pipeline or the database of connection ${connection}`,
        },
      ];
    }
    if (usable === '1') return [];
    return [
      {
        severity: 'error',
        subject,
        problem: `${user} may not look into it`,
        remedy: `GRANT USAGE ON SCHEMA ${quoteIdentifier(name ?? '')} TO ${quoteIdentifier(user)}`,
      },
    ];
  });
}

const TABLES = `
SELECT w.ordinal, (c.oid IS NOT NULL)::int4 AS present,
  has_table_privilege(c.oid, 'SELECT')::int4 AS readable,
  has_any_column_privilege(c.oid, 'SELECT')::int4 AS partly,
  row_security_active(c.oid)::int4 AS secured
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS w (schema, name, ordinal)
LEFT JOIN (pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace)
  ON n.nspname = w.schema AND c.relname = w.name AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
ORDER BY w.ordinal`;

async function checkTables(
  session: Session,
  { user }: DatabaseConnection,
  tables: readonly SourceTable[],
): Promise<readonly Finding[]> {
  const rows = await session.query(TABLES, [
    tables.map(({ schema }) => schema),
    tables.map(({ name }) => name),
  ]);
  const role = quoteIdentifier(user);
  return rows.flatMap((row): Finding[] => {
    const table = tables[Number(row.ordinal) - 1];
    if (table === undefined) return [];
    const subject = `table ${table.id}`;
    if (row.present !== '1') {
      const problem = 'there is no such table';
      return [{ severity: 'error', subject, problem, remedy: 'correct tables.include' }];
    }
    const findings: Finding[] = [];
    const grant = `GRANT SELECT ON ${quoteQualified(table)} TO ${role}`;
    if (row.readable !== '1') {
      findings.push(
        row.partly === '1'
          ? {
              severity: 'warning',
              subject,
              problem: `${user} may read some of its columns only`,
              remedy: `${grant}, or list the others under columns.exclude`,
            }
          : { severity: 'error', subject, problem: `${user} may not read it`, remedy: grant },
      );
    }
    if (row.secured === '1') {
      findings.push({
        severity: 'error',
        subject,
        problem: `row-level security would hide rows from ${user}`,
        remedy: `ALTER ROLE ${role} BYPASSRLS, or sign in as another role`,
      });
    }
    return findings;
  });
}
