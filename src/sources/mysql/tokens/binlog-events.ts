import type { TextRow } from '../connection';
import { keyOfName, type TableKey } from './innodb-names';
import { parseGtid, type Gtid } from './gtid-set';

/** A place in the binary log: between two events. */
export interface LogPosition {
  readonly file: string;
  readonly position: number;
}

/**
 * Whether one place lies after another. Files are numbered by their extension, which grows beyond
 * six digits.
 */
export function isAfter(one: LogPosition, other: LogPosition): boolean {
  const order = fileNumber(one.file) - fileNumber(other.file);
  return order === 0 ? one.position > other.position : order > 0;
}

function fileNumber(file: string): number {
  return Number(file.slice(file.lastIndexOf('.') + 1));
}

/** What one event of the log means for the tables. */
export type Effect =
  | { readonly kind: 'none' }
  | { readonly kind: 'gtid'; readonly gtid: Gtid }
  | { readonly kind: 'table'; readonly key: TableKey }
  /** Events follow that lie inside this one. */
  | { readonly kind: 'payload' }
  /** Something that may change any table: DDL, a statement, an event nobody here knows. */
  | { readonly kind: 'anything' };

const NONE: Effect = { kind: 'none' };
const ANYTHING: Effect = { kind: 'anything' };

/** Events that change no rows, or whose rows a Table_map before them has announced. */
const HARMLESS = new Set([
  'Format_desc',
  'Previous_gtids',
  'Anonymous_Gtid',
  'Gtid_list',
  'Binlog_checkpoint',
  'Start_encryption',
  'Rotate',
  'Stop',
  'Heartbeat',
  'Xid',
  'XA_prepare',
  'Rows_query',
  'Annotate_rows',
  'Ignorable',
  'View_change',
  // Values for a statement, which is an event of its own.
  'Intvar',
  'RAND',
  'User var',
]);

const ROWS = /^(Write|Update|Delete)_rows(_compressed)?(_v1)?$|^Update_rows_partial$/;

const TABLE_MAP = /^table_id: \d+ \((.*)\)$/s;

/** Statements that change no rows of tables and no tables. XA COMMIT is not among them: it makes rows visible. */
const HARMLESS_STATEMENT =
  /^(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE SAVEPOINT|XA START|XA END|XA ROLLBACK|GRANT|REVOKE|FLUSH|ANALYZE (?:NO_WRITE_TO_BINLOG |LOCAL )?TABLE|CREATE USER|ALTER USER|DROP USER|RENAME USER|SET PASSWORD|CREATE ROLE|DROP ROLE|SET DEFAULT ROLE)\b/i;

/** One row of SHOW BINLOG EVENTS. */
export function effectOf(event: TextRow): Effect {
  const type = event['Event_type'] ?? '';
  const info = event['Info'] ?? '';
  if (HARMLESS.has(type) || ROWS.test(type)) return NONE;
  switch (type) {
    case 'Gtid':
    case 'Gtid_tagged_log_event': {
      // MariaDB's ids (`BEGIN GTID 0-1-5`) are not needed: its positions are exact.
      const written = /'([^']*)'/.exec(info)?.[1];
      const gtid = written === undefined ? undefined : parseGtid(written);
      return gtid === undefined ? NONE : { kind: 'gtid', gtid };
    }
    case 'Table_map': {
      const name = TABLE_MAP.exec(info)?.[1];
      return name === undefined ? ANYTHING : { kind: 'table', key: keyOfName(name) };
    }
    case 'Transaction_payload':
      return { kind: 'payload' };
    case 'Query':
    case 'Query_compressed': {
      const statement = info.replace(/^use `(?:[^`]|``)*`; /, '');
      return HARMLESS_STATEMENT.test(statement) ? NONE : ANYTHING;
    }
    default:
      return ANYTHING;
  }
}
