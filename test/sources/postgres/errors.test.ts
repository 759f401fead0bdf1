import assert from 'node:assert/strict';
import type { ErrorCode } from '../../../src/errors';
import { ComportaError } from '../../../src/errors';
import { toComportaError, type ErrorContext } from '../../../src/sources/postgres/errors';

const CONTEXT = {
  host: 'db.example',
  port: 5432,
  user: 'loader',
  database: 'shop',
  connection: 'shop-pg',
} as const;
const TABLE = { id: 'public.orders', schema: 'public', name: 'orders' };

function serverError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code, severity: 'ERROR' });
}

function socketError(code: string, message = `connect ${code} 10.0.0.1:5432`): Error {
  return Object.assign(new Error(message), { code, syscall: 'connect' });
}

type Row = readonly [
  what: string,
  error: unknown,
  context: Partial<ErrorContext> & Pick<ErrorContext, 'phase'>,
  code: ErrorCode,
  message: RegExp,
];

const connect = { phase: 'connect' } as const;
const query = { phase: 'query' } as const;

const ROWS: readonly Row[] = [
  [
    'a wrong password',
    serverError('28P01', 'password authentication failed for user "loader"'),
    connect,
    'AuthenticationFailed',
    /db.example:5432 refused the sign-in.*check user loader.*shop-pg/,
  ],
  [
    'a role that may not sign in',
    serverError('28000', 'role "loader" is not permitted to log in'),
    connect,
    'AuthenticationFailed',
    /not permitted/,
  ],
  [
    'no password where one is asked for',
    new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a non-empty string'),
    connect,
    'AuthenticationFailed',
    /refused the sign-in/,
  ],
  [
    'a server that wants TLS',
    serverError(
      '28000',
      'no pg_hba.conf entry for host "10.0.0.1", user "loader", database "shop", no encryption',
    ),
    connect,
    'ConfigurationInvalid',
    /demands TLS.*tls.mode/,
  ],
  [
    'a server of version 13 that wants TLS',
    serverError(
      '28000',
      'no pg_hba.conf entry for host "10.0.0.1", user "loader", database "shop", SSL off',
    ),
    connect,
    'ConfigurationInvalid',
    /demands TLS/,
  ],
  [
    'an unknown database',
    serverError('3D000', 'database "shop" does not exist'),
    connect,
    'ConfigurationInvalid',
    /no database shop.*shop-pg/,
  ],
  [
    'too many connections',
    serverError('53300', 'sorry, too many clients already'),
    connect,
    'ConnectionFailed',
    /takes no connection.*concurrency/,
  ],
  [
    'a server that starts up',
    serverError('57P03', 'the database system is starting up'),
    connect,
    'ConnectionFailed',
    /starting up/,
  ],
  [
    'a server that shuts down',
    serverError('57P01', 'terminating connection'),
    connect,
    'ConnectionFailed',
    /cannot connect/,
  ],
  [
    'a protocol violation at sign-in',
    serverError('08P01', 'protocol violation'),
    connect,
    'ConnectionFailed',
    /cannot connect/,
  ],
  [
    'a closed port',
    socketError('ECONNREFUSED'),
    connect,
    'ConnectionFailed',
    /cannot connect.*ECONNREFUSED.*check host and port/,
  ],
  [
    'a closed port at every address of a name',
    new AggregateError([
      socketError('ECONNREFUSED', 'connect ECONNREFUSED ::1:5432'),
      socketError('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:5432'),
    ]),
    connect,
    'ConnectionFailed',
    /::1:5432; connect ECONNREFUSED 127.0.0.1/,
  ],
  [
    'an unknown host',
    socketError('ENOTFOUND', 'getaddrinfo ENOTFOUND db.example'),
    connect,
    'ConnectionFailed',
    /ENOTFOUND db.example/,
  ],
  [
    'a connection that times out',
    socketError('ETIMEDOUT'),
    connect,
    'ConnectionFailed',
    /ETIMEDOUT/,
  ],
  [
    'the driver giving up',
    new Error('timeout expired'),
    connect,
    'ConnectionFailed',
    /timeout expired/,
  ],
  [
    'a connection that is cut at once',
    new Error('Connection terminated unexpectedly'),
    connect,
    'ConnectionFailed',
    /cannot connect/,
  ],
  [
    'no TLS at the server',
    new Error('The server does not support SSL connections'),
    connect,
    'ConfigurationInvalid',
    /does not offer TLS.*prefer or disable/,
  ],
  [
    'a TLS handshake that fails',
    socketError('EPROTO', 'write EPROTO alert handshake failure'),
    connect,
    'ConfigurationInvalid',
    /TLS.*failed/,
  ],
  [
    'another protocol at the port',
    new Error('There was an error establishing an SSL connection'),
    connect,
    'ConfigurationInvalid',
    /TLS.*failed/,
  ],
  [
    'a self-signed certificate',
    socketError('DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate'),
    connect,
    'ConfigurationInvalid',
    /self-signed certificate.*tls.ca of connection shop-pg/,
  ],
  [
    'an unknown authority',
    socketError('UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'unable to verify the first certificate'),
    connect,
    'ConfigurationInvalid',
    /tls.ca/,
  ],
  [
    'an expired certificate',
    socketError('CERT_HAS_EXPIRED', 'certificate has expired'),
    connect,
    'ConfigurationInvalid',
    /expired/,
  ],
  [
    'a certificate for another host',
    socketError('ERR_TLS_CERT_ALTNAME_INVALID', "Host: db.example. is not in the cert's altnames"),
    connect,
    'ConfigurationInvalid',
    /altnames/,
  ],

  [
    'no right on a table',
    serverError('42501', 'permission denied for table orders'),
    { ...query, table: TABLE },
    'PermissionDenied',
    /public.orders: permission denied for table orders — GRANT SELECT ON "public"."orders" TO "loader"/,
  ],
  [
    'no right on a schema',
    serverError('42501', 'permission denied for schema sales'),
    { ...query, table: TABLE },
    'PermissionDenied',
    /GRANT USAGE ON SCHEMA "sales" TO "loader"/,
  ],
  [
    'no right on something else',
    serverError('42501', 'permission denied for function f'),
    query,
    'PermissionDenied',
    /run `check`/,
  ],
  [
    'no right to connect',
    serverError('42501', 'permission denied for database "shop"'),
    connect,
    'PermissionDenied',
    /GRANT CONNECT ON DATABASE "shop" TO "loader"/,
  ],
  [
    'row-level security',
    serverError('42501', 'query would be affected by row-level security policy for table "orders"'),
    { ...query, table: TABLE },
    'PermissionDenied',
    /hide rows.*ALTER ROLE "loader" BYPASSRLS/,
  ],
  [
    'a table that is gone',
    serverError('42P01', 'relation "public.orders" does not exist'),
    { ...query, table: TABLE },
    'TableNotFound',
    /public.orders: relation/,
  ],
  [
    'a schema that is gone',
    serverError('3F000', 'schema "sales" does not exist'),
    query,
    'TableNotFound',
    /schema "sales"/,
  ],
  [
    'a cancelled statement',
    serverError('57014', 'canceling statement due to user request'),
    query,
    'SourceInterrupted',
    /broke off: canceling/,
  ],
  [
    'an administrator',
    serverError('57P01', 'terminating connection due to administrator command'),
    query,
    'SourceInterrupted',
    /administrator/,
  ],
  [
    'a crash',
    serverError('57P02', 'terminating connection because of crash of another server process'),
    query,
    'SourceInterrupted',
    /crash/,
  ],
  [
    'a recovery conflict',
    serverError('40001', 'canceling statement due to conflict with recovery'),
    query,
    'SourceInterrupted',
    /recovery/,
  ],
  ['a deadlock', serverError('40P01', 'deadlock detected'), query, 'SourceInterrupted', /deadlock/],
  [
    'a lost connection',
    serverError('08006', 'connection failure'),
    query,
    'SourceInterrupted',
    /broke off/,
  ],
  [
    'a full disk',
    serverError('53100', 'could not write to file'),
    query,
    'SourceInterrupted',
    /could not write/,
  ],
  [
    'an input/output error',
    serverError('58030', 'could not read block'),
    query,
    'SourceInterrupted',
    /read block/,
  ],
  [
    'a lock',
    serverError('55P03', 'canceling statement due to lock timeout'),
    { ...query, table: TABLE },
    'SourceInterrupted',
    /the table is locked.*finish first/,
  ],
  [
    'an idle transaction that was ended',
    serverError('25P03', 'terminating connection due to idle-in-transaction timeout'),
    query,
    'SourceInterrupted',
    /idle-in-transaction/,
  ],
  [
    'a reset connection',
    socketError('ECONNRESET', 'read ECONNRESET'),
    query,
    'SourceInterrupted',
    /ECONNRESET/,
  ],
  ['a broken pipe', socketError('EPIPE', 'write EPIPE'), query, 'SourceInterrupted', /EPIPE/],
  [
    'a connection that goes silent',
    socketError('ETIMEDOUT', 'read ETIMEDOUT'),
    query,
    'SourceInterrupted',
    /ETIMEDOUT/,
  ],
  [
    'a server that goes away',
    new Error('Connection terminated unexpectedly'),
    query,
    'SourceInterrupted',
    /terminated unexpectedly/,
  ],
  [
    'a server that went away before',
    new Error('Client has encountered a connection error and is not queryable'),
    query,
    'SourceInterrupted',
    /not queryable/,
  ],
  [
    'a syntax error in the filter',
    serverError('42601', 'syntax error at or near ")"'),
    { ...query, table: TABLE, where: 'id >' },
    'SourceRejected',
    /public.orders: .*with the filter "id >": syntax error/,
  ],
  [
    'an unknown column in the filter',
    serverError('42703', 'column "nothing" does not exist'),
    { ...query, table: TABLE, where: 'nothing = 1' },
    'SourceRejected',
    /filter "nothing = 1": column "nothing"/,
  ],
  [
    'another refusal',
    serverError('0A000', 'not supported'),
    query,
    'SourceRejected',
    /refused the statement: not supported/,
  ],
  [
    'a fault of the server',
    serverError('XX001', 'invalid page in block 1'),
    query,
    'SourceRejected',
    /invalid page/,
  ],
  [
    'bytes that are no text',
    serverError('22021', 'invalid byte sequence for encoding "UTF8": 0xff'),
    { ...query, table: TABLE },
    'ValueUnfaithful',
    /0xff.*columns.exclude/,
  ],
  ['what is no error at all', 'gone', query, 'SourceInterrupted', /gone/],
];

describe("PostgreSQL's errors in Comporta's words", () => {
  for (const [what, error, context, code, message] of ROWS) {
    it(`${what} while the phase is ${context.phase}: ${code}`, () => {
      const seen = toComportaError(error, { ...CONTEXT, ...context });
      assert.equal(seen.code, code);
      assert.match(seen.message, message);
      assert.equal(seen.cause, error);
    });
  }

  it('leaves an error in those words alone', () => {
    const error = new ComportaError('LeaseLost', 'x');
    assert.equal(toComportaError(error, { ...CONTEXT, ...query }), error);
  });
});
