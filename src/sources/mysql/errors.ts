import { ComportaError, type ErrorCode } from '../../errors';
import { INTERRUPTED_REMEDY } from '../silence';

/** What was being done when the driver threw; everything here may be shown to anyone. */
export interface ErrorContext {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  /** The name of the connection in the pipelines folder. */
  readonly connection: string;
  readonly phase: 'connect' | 'query';
  /** The table's id. */
  readonly table?: string;
  /** The condition of the pipeline file that is part of the statement. */
  readonly where?: string;
}

interface DriverError {
  readonly code?: string;
  readonly errno?: number;
  readonly message: string;
}

interface Mapping {
  readonly code: ErrorCode;
  readonly problem: (error: DriverError, context: ErrorContext) => string;
  readonly remedy?: (context: ErrorContext) => string;
}

const server = ({ host, port }: ErrorContext) => `${host}:${port}`;
const said = (error: DriverError) => error.message;

const authentication: Mapping = {
  code: 'AuthenticationFailed',
  problem: (error, context) => `MySQL at ${server(context)} refused the sign-in: ${said(error)}`,
  remedy: ({ connection, user }) =>
    `check user ${user} and the password that connection ${connection} refers to, and its tls (mode, certificate) if the account demands TLS`,
};

const unreachable: Mapping = {
  code: 'ConnectionFailed',
  problem: (error, context) => `cannot connect to MySQL at ${server(context)}: ${said(error)}`,
  remedy: ({ connection }) =>
    `check host and port of connection ${connection} and that the server accepts connections from here`,
};

const crowded: Mapping = {
  code: 'ConnectionFailed',
  problem: (error, context) => `MySQL at ${server(context)} takes no connection: ${said(error)}`,
  remedy: () =>
    'raise the limit of connections on the server or lower the concurrency of the pipeline',
};

const tls: Mapping = {
  code: 'ConfigurationInvalid',
  problem: (error, context) => `TLS with MySQL at ${server(context)} failed: ${said(error)}`,
  remedy: ({ connection }) =>
    `set tls.ca of connection ${connection} to the authority that signed the server's certificate, or choose another tls.mode`,
};

const noTls: Mapping = {
  code: 'ConfigurationInvalid',
  problem: (_error, context) => `MySQL at ${server(context)} does not offer TLS`,
  remedy: ({ connection }) =>
    `set up TLS on the server, or tls.mode of connection ${connection} to prefer or disable`,
};

const certificateDemanded: Mapping = {
  code: 'ConfigurationInvalid',
  problem: (_error, context) =>
    `MySQL at ${server(context)} wants a client certificate that it trusts`,
  remedy: ({ connection }) => `set tls.certificate and tls.key of connection ${connection}`,
};

/** OpenSSL's names of the alerts about a client's certificate: RFC 8446, 6.2. */
const CERTIFICATE_ALERT = / alert (unknown ca|.*certificate)/;

const tlsDemanded: Mapping = {
  code: 'ConfigurationInvalid',
  problem: (error, context) => `MySQL at ${server(context)} demands TLS: ${said(error)}`,
  remedy: ({ connection }) => `set tls.mode of connection ${connection} to require`,
};

const permission: Mapping = {
  code: 'PermissionDenied',
  problem: (error) => said(error),
  remedy: () => 'run `check` to see the GRANT that gives it',
};

const noDatabase: Mapping = {
  code: 'ConfigurationInvalid',
  problem: (_error, context) => `MySQL at ${server(context)} has no database ${context.database}`,
  remedy: ({ connection }) => `correct the database of connection ${connection}`,
};

const noTable: Mapping = {
  code: 'TableNotFound',
  problem: (error) => said(error),
  remedy: ({ connection }) => `check the table's name and the database of connection ${connection}`,
};

const interrupted: Mapping = {
  code: 'SourceInterrupted',
  problem: (error, context) => `MySQL at ${server(context)} broke off: ${said(error)}`,
  remedy: () => INTERRUPTED_REMEDY,
};

const locked: Mapping = {
  code: 'SourceInterrupted',
  problem: (error) => `the table is locked: ${said(error)}`,
  remedy: () => 'let the ALTER TABLE, LOCK TABLES or FLUSH TABLES that holds it finish first',
};

const tooLarge: Mapping = {
  code: 'SourceRejected',
  problem: (error) => said(error),
  remedy: () => 'raise max_allowed_packet on the server',
};

const noStatements: Mapping = {
  code: 'SourceInterrupted',
  problem: (error, context) =>
    `MySQL at ${server(context)} prepares no statement, which reading needs: ${said(error)}`,
  remedy: () =>
    'raise max_prepared_stmt_count on the server; a proxy in between has to let prepared statements through',
};

const rejected: Mapping = {
  code: 'SourceRejected',
  problem: (error, { where }) =>
    where === undefined
      ? `MySQL refused the statement: ${said(error)}`
      : `MySQL refused the statement with the filter "${where}": ${said(error)}`,
  remedy: ({ where }) =>
    where === undefined
      ? 'correct the view or the column, or leave it out with tables.exclude or columns.exclude'
      : 'correct `where` in the pipeline file',
};

const BY_CODE: Readonly<Record<string, Mapping>> = {
  ER_ACCESS_DENIED_ERROR: authentication,
  ER_ACCESS_DENIED_NO_PASSWORD_ERROR: authentication,
  ER_MUST_CHANGE_PASSWORD: authentication,
  ER_MUST_CHANGE_PASSWORD_LOGIN: authentication,
  ER_ACCOUNT_HAS_BEEN_LOCKED: authentication,
  ER_HOST_NOT_PRIVILEGED: authentication,
  ER_NOT_SUPPORTED_AUTH_MODE: authentication,
  AUTH_SWITCH_PLUGIN_ERROR: authentication,

  ECONNREFUSED: unreachable,
  ENOTFOUND: unreachable,
  EAI_AGAIN: unreachable,
  ETIMEDOUT: unreachable,
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  ER_HOST_IS_BLOCKED: unreachable,
  ER_SERVER_OFFLINE_MODE: unreachable,
  ER_CON_COUNT_ERROR: crowded,
  ER_TOO_MANY_USER_CONNECTIONS: crowded,
  ER_USER_LIMIT_REACHED: crowded,

  HANDSHAKE_SSL_ERROR: tls,
  DEPTH_ZERO_SELF_SIGNED_CERT: tls,
  SELF_SIGNED_CERT_IN_CHAIN: tls,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: tls,
  UNABLE_TO_GET_ISSUER_CERT: tls,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: tls,
  CERT_HAS_EXPIRED: tls,
  CERT_NOT_YET_VALID: tls,
  ERR_TLS_CERT_ALTNAME_INVALID: tls,
  EPROTO: tls,
  HANDSHAKE_NO_SSL_SUPPORT: noTls,
  ER_SECURE_TRANSPORT_REQUIRED: tlsDemanded,

  ER_DBACCESS_DENIED_ERROR: permission,
  ER_TABLEACCESS_DENIED_ERROR: permission,
  ER_COLUMNACCESS_DENIED_ERROR: permission,
  ER_SPECIFIC_ACCESS_DENIED_ERROR: permission,
  ER_PROCACCESS_DENIED_ERROR: permission,

  ER_BAD_DB_ERROR: noDatabase,
  ER_NO_SUCH_TABLE: noTable,

  PROTOCOL_CONNECTION_LOST: interrupted,
  ECONNRESET: interrupted,
  EPIPE: interrupted,
  ER_SERVER_SHUTDOWN: interrupted,
  ER_CLIENT_INTERACTION_TIMEOUT: interrupted,
  ER_NORMAL_SHUTDOWN: interrupted,
  ER_NET_READ_ERROR: interrupted,
  ER_NET_READ_INTERRUPTED: interrupted,
  ER_NET_ERROR_ON_WRITE: interrupted,
  ER_NET_WRITE_INTERRUPTED: interrupted,
  ER_QUERY_INTERRUPTED: interrupted,
  ER_QUERY_TIMEOUT: interrupted,
  ER_LOCK_WAIT_TIMEOUT: locked,
  ER_LOCK_DEADLOCK: interrupted,
  ER_LOCK_ABORTED: interrupted,
  ER_LOCK_NOWAIT: locked,
  ER_TABLE_DEF_CHANGED: interrupted,
  ER_NEED_REPREPARE: interrupted,

  ER_MAX_PREPARED_STMT_COUNT_REACHED: noStatements,
  ER_UNSUPPORTED_PS: noStatements,

  ER_NET_PACKET_TOO_LARGE: tooLarge,
  ER_WARN_ALLOWED_PACKET_OVERFLOWED: tooLarge,
};

/**
 * By number: errors of the answer to a prepared statement, which come without a name
 * (https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html), and errors that
 * MariaDB alone has or numbers in its own way (https://mariadb.com/kb/en/mariadb-error-codes/).
 */
const BY_NUMBER: Readonly<Record<number, Mapping>> = {
  // ER_DBACCESS_DENIED_ERROR, ER_TABLEACCESS_…, ER_COLUMNACCESS_…, ER_SPECIFIC_ACCESS_…, ER_PROCACCESS_…
  1044: permission,
  1142: permission,
  1143: permission,
  1227: permission,
  1370: permission,
  // ER_NO_SUCH_TABLE
  1146: noTable,
  // ER_SERVER_SHUTDOWN, ER_NORMAL_SHUTDOWN, ER_CLIENT_INTERACTION_TIMEOUT
  1053: interrupted,
  1077: interrupted,
  4031: interrupted,
  // ER_NET_READ_ERROR, ER_NET_READ_INTERRUPTED, ER_NET_ERROR_ON_WRITE, ER_NET_WRITE_INTERRUPTED
  1158: interrupted,
  1159: interrupted,
  1160: interrupted,
  1161: interrupted,
  // ER_QUERY_INTERRUPTED, ER_QUERY_TIMEOUT
  1317: interrupted,
  3024: interrupted,
  // ER_LOCK_WAIT_TIMEOUT, ER_LOCK_DEADLOCK, ER_LOCK_ABORTED, ER_LOCK_NOWAIT
  1205: locked,
  1213: interrupted,
  1689: interrupted,
  3572: locked,
  // ER_TABLE_DEF_CHANGED, ER_NEED_REPREPARE
  1412: interrupted,
  1615: interrupted,
  // ER_NET_PACKET_TOO_LARGE, ER_WARN_ALLOWED_PACKET_OVERFLOWED
  1153: tooLarge,
  1301: tooLarge,
  // MariaDB: ER_CONNECTION_KILLED
  1927: interrupted,
  // MariaDB: ER_STATEMENT_TIMEOUT
  1969: interrupted,
  // MariaDB: ER_ACCOUNT_HAS_BEEN_LOCKED
  4151: authentication,
};

/** Codes that mean "broken off" in a statement but "cannot connect" while connecting. */
const LOST = new Set(['PROTOCOL_CONNECTION_LOST', 'ECONNRESET', 'EPIPE', 'ER_SERVER_SHUTDOWN']);

function mappingOf(error: DriverError, phase: ErrorContext['phase']): Mapping {
  const code = error.code ?? '';
  if (CERTIFICATE_ALERT.test(error.message)) return certificateDemanded;
  if (phase === 'connect' && LOST.has(code)) return unreachable;
  if (phase === 'query' && code === 'ETIMEDOUT') return interrupted;
  const known = BY_CODE[code] ?? BY_NUMBER[error.errno ?? 0];
  if (known !== undefined) return known;
  // The driver raises what is no answer of the server (a cut, a protocol fault) without a number.
  if (phase === 'connect') return unreachable;
  return error.errno === undefined ? interrupted : rejected;
}

/** What mysql2 threw, in Comporta's words. A ComportaError is returned as it is. */
export function toComportaError(error: unknown, context: ErrorContext): ComportaError {
  if (error instanceof ComportaError) return error;
  const driverError: DriverError = error instanceof Error ? error : { message: String(error) };
  const mapping = mappingOf(driverError, context.phase);
  const remedy = mapping.remedy?.(context);
  return new ComportaError(mapping.code, mapping.problem(driverError, context), {
    ...(remedy === undefined ? {} : { remedy }),
    ...(context.table === undefined ? {} : { table: context.table }),
    cause: error,
  });
}
