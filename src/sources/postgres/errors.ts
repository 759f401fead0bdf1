import { ComportaError, type ErrorCode } from '../../errors';
import { INTERRUPTED_REMEDY } from '../silence';
import { quoteIdentifier, quoteQualified } from './identifiers';

/** What was being done when the driver threw; everything here may be shown to anyone. */
export interface ErrorContext {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  /** The name of the connection in the pipelines folder. */
  readonly connection: string;
  readonly phase: 'connect' | 'query';
  readonly table?: { readonly id: string; readonly schema: string; readonly name: string };
  /** The condition of the pipeline file that is part of the statement. */
  readonly where?: string;
}

interface DriverError {
  /** SQLSTATE of the server, or Node's code of a socket error. */
  readonly code?: string;
  readonly message: string;
}

interface Mapping {
  readonly code: ErrorCode;
  readonly problem: (error: DriverError, context: ErrorContext) => string;
  readonly remedy?: (context: ErrorContext, error: DriverError) => string;
}

const server = ({ host, port }: ErrorContext) => `${host}:${port}`;
const said = (error: DriverError) => error.message;

const authentication: Mapping = {
  code: 'AuthenticationFailed',
  problem: (error, context) =>
    `PostgreSQL at ${server(context)} refused the sign-in: ${said(error)}`,
  remedy: ({ connection, user }) =>
    `check user ${user}, the password that connection ${connection} refers to, and pg_hba.conf on the server`,
};

const unreachable: Mapping = {
  code: 'ConnectionFailed',
  problem: (error, context) => `cannot connect to PostgreSQL at ${server(context)}: ${said(error)}`,
  remedy: ({ connection }) =>
    `check host and port of connection ${connection} and that the server accepts connections from here`,
};

const crowded: Mapping = {
  code: 'ConnectionFailed',
  problem: (error, context) =>
    `PostgreSQL at ${server(context)} takes no connection: ${said(error)}`,
  remedy: () => 'raise max_connections on the server or lower the concurrency of the pipeline',
};

const tls: Mapping = {
  code: 'ConfigurationInvalid',
  problem: (error, context) => `TLS with PostgreSQL at ${server(context)} failed: ${said(error)}`,
  remedy: ({ connection }) =>
    `set tls.ca of connection ${connection} to the authority that signed the server's certificate, or choose another tls.mode`,
};

const noTls: Mapping = {
  code: 'ConfigurationInvalid',
  problem: (_error, context) => `PostgreSQL at ${server(context)} does not offer TLS`,
  remedy: ({ connection }) =>
    `set up TLS on the server, or tls.mode of connection ${connection} to prefer or disable`,
};

const certificateDemanded: Mapping = {
  code: 'ConfigurationInvalid',
  problem: (_error, context) =>
    `PostgreSQL at ${server(context)} wants a client certificate that it trusts`,
  remedy: ({ connection }) => `set tls.certificate and tls.key of connection ${connection}`,
};

const tlsDemanded: Mapping = {
  code: 'ConfigurationInvalid',
  problem: (error, context) => `PostgreSQL at ${server(context)} demands TLS: ${said(error)}`,
  remedy: ({ connection }) =>
    `set tls.mode of connection ${connection} to require, or allow the connection in pg_hba.conf`,
};

const noDatabase: Mapping = {
  code: 'ConfigurationInvalid',
  problem: (_error, context) =>
    `PostgreSQL at ${server(context)} has no database ${context.database}`,
  remedy: ({ connection }) => `correct the database of connection ${connection}`,
};

const permission: Mapping = {
  code: 'PermissionDenied',
  problem: said,
  remedy: ({ user, table, database }, { message }) => {
    const role = quoteIdentifier(user);
    const schema = /permission denied for schema (.+)$/.exec(message)?.[1];
    if (schema !== undefined) {
      return `GRANT USAGE ON SCHEMA ${quoteIdentifier(schema)} TO ${role}`;
    }
    if (/permission denied for database/.test(message)) {
      return `GRANT CONNECT ON DATABASE ${quoteIdentifier(database)} TO ${role}`;
    }
    if (table === undefined) return 'run `check` to see the GRANT that gives it';
    return `GRANT SELECT ON ${quoteQualified(table)} TO ${role}`;
  },
};

const rowSecurity: Mapping = {
  code: 'PermissionDenied',
  problem: (error) => `row-level security would hide rows from this user: ${said(error)}`,
  remedy: ({ user }) => `ALTER ROLE ${quoteIdentifier(user)} BYPASSRLS, or sign in as another role`,
};

const noTable: Mapping = {
  code: 'TableNotFound',
  problem: said,
  remedy: ({ connection }) => `check the table's name and the database of connection ${connection}`,
};

const interrupted: Mapping = {
  code: 'SourceInterrupted',
  problem: (error, context) => `PostgreSQL at ${server(context)} broke off: ${said(error)}`,
  remedy: () => INTERRUPTED_REMEDY,
};

const locked: Mapping = {
  code: 'SourceInterrupted',
  problem: (error) => `the table is locked: ${said(error)}`,
  remedy: () => 'let the ALTER TABLE, TRUNCATE, VACUUM FULL or LOCK that holds it finish first',
};

const notUtf8: Mapping = {
  code: 'ValueUnfaithful',
  problem: (error) => `a text is not valid in the database's own encoding: ${said(error)}`,
  remedy: () => 'correct the row, or leave the column out with columns.exclude',
};

const rejected: Mapping = {
  code: 'SourceRejected',
  problem: (error, { where }) =>
    where === undefined
      ? `PostgreSQL refused the statement: ${said(error)}`
      : `PostgreSQL refused the statement with the filter "${where}": ${said(error)}`,
  remedy: ({ where }) =>
    where === undefined
      ? 'correct the view or the column, or leave it out with tables.exclude or columns.exclude'
      : 'correct `where` in the pipeline file',
};

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const BY_SQLSTATE: Readonly<Record<string, Mapping>> = {
  '28000': authentication,
  '28P01': authentication,
  '3D000': noDatabase,
  '42501': permission,
  '42P01': noTable,
  '3F000': noTable,
  '53300': crowded,
  '57P03': unreachable,
  '55P03': locked,
  '25P02': interrupted,
  '25P03': interrupted,
  '25P04': interrupted,
  '22021': notUtf8,
  '22P05': notUtf8,
};

/** For the states that are not listed, by their first two characters. */
const BY_CLASS: Readonly<Record<string, Mapping>> = {
  '08': interrupted,
  '40': interrupted,
  '53': interrupted,
  '57': interrupted,
  '58': interrupted,
};

const BY_SOCKET_CODE: Readonly<Record<string, Mapping>> = {
  ECONNREFUSED: unreachable,
  ENOTFOUND: unreachable,
  EAI_AGAIN: unreachable,
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  ENOENT: unreachable,
  EACCES: unreachable,
  ETIMEDOUT: interrupted,
  ECONNRESET: interrupted,
  EPIPE: interrupted,
  DEPTH_ZERO_SELF_SIGNED_CERT: tls,
  SELF_SIGNED_CERT_IN_CHAIN: tls,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: tls,
  UNABLE_TO_GET_ISSUER_CERT: tls,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: tls,
  CERT_HAS_EXPIRED: tls,
  CERT_NOT_YET_VALID: tls,
  CERT_SIGNATURE_FAILURE: tls,
  EPROTO: tls,
};

/** What pg says in words alone, with the cases in which the words tell more than the code. */
const BY_MESSAGE: readonly (readonly [RegExp, Mapping])[] = [
  [/does not support SSL connections/, noTls],
  [/error establishing an SSL connection/, tls],
  [/requires a valid client certificate/, certificateDemanded],
  // OpenSSL's names of the alerts about a client's certificate: RFC 8446, 6.2.
  [/ alert (unknown ca|.*certificate)/, certificateDemanded],
  [/row-level security policy/, rowSecurity],
  [/no pg_hba\.conf entry .*(no encryption|SSL off)/, tlsDemanded],
  [/^SASL: .*password must be/, authentication],
  [/^timeout expired$/, unreachable],
  [/^Connection terminated/, interrupted],
  [/is not queryable$/, interrupted],
];

function mappingOf(error: DriverError, phase: ErrorContext['phase']): Mapping {
  const code = error.code ?? '';
  const found =
    BY_MESSAGE.find(([pattern]) => pattern.test(error.message))?.[1] ??
    BY_SQLSTATE[code] ??
    BY_SOCKET_CODE[code] ??
    (/^ERR_(SSL|TLS|OSSL)/.test(code) ? tls : undefined) ??
    (code.length === 5 ? BY_CLASS[code.slice(0, 2)] : undefined);
  if (found === interrupted && phase === 'connect') return unreachable;
  if (found !== undefined) return found;
  // Every answer of the server has an SQLSTATE; what has none is a cut or a fault of the protocol.
  if (phase === 'connect') return unreachable;
  return code === '' ? interrupted : rejected;
}

/**
 * A driver's error in Comporta's words. A ComportaError is given back as it is.
 * https://node-postgres.com/apis/client for the errors that pg makes itself.
 */
export function toComportaError(thrown: unknown, context: ErrorContext): ComportaError {
  if (thrown instanceof ComportaError) return thrown;
  const error = { code: codeOf(thrown), message: wordsOf(thrown) } as DriverError;
  const { code, problem, remedy } = mappingOf(error, context.phase);
  return new ComportaError(code, problem(error, context), {
    cause: thrown,
    ...(context.table === undefined ? {} : { table: context.table.id }),
    ...(remedy === undefined ? {} : { remedy: remedy(context, error) }),
  });
}

/** Whether an error of a first attempt with TLS is one that an attempt without may not meet. */
export function isTlsRefusal(thrown: unknown): boolean {
  const error = { code: codeOf(thrown), message: wordsOf(thrown) } as DriverError;
  const mapping = mappingOf(error, 'connect');
  return [noTls, tls, certificateDemanded].includes(mapping) || error.code === '28000';
}

function codeOf(thrown: unknown): string | undefined {
  const code = (thrown as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** Node's error for a name with several addresses says nothing itself; its parts do. */
function wordsOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.message === '') {
    return thrown.errors.map(wordsOf).join('; ');
  }
  return thrown instanceof Error ? thrown.message : String(thrown);
}
