import assert from 'node:assert/strict';
import { ComportaError, type ErrorCode } from '../../../src/errors';
import { toComportaError, type ErrorContext } from '../../../src/sources/mysql/errors';

const CONTEXT: ErrorContext = {
  host: 'db.example.com',
  port: 3306,
  user: 'loader',
  database: 'shop',
  connection: 'shop-db',
  phase: 'query',
};

function driverError(code: string | undefined, errno?: number): Error {
  return Object.assign(new Error(`the server said ${code ?? errno ?? 'nothing'}`), { code, errno });
}

/** Driver's code, server's number, the code while connecting and while asking. */
const TABLE: readonly (readonly [string | undefined, number | undefined, ErrorCode, ErrorCode])[] =
  [
    ['ER_ACCESS_DENIED_ERROR', 1045, 'AuthenticationFailed', 'AuthenticationFailed'],
    ['ER_ACCESS_DENIED_NO_PASSWORD_ERROR', 1698, 'AuthenticationFailed', 'AuthenticationFailed'],
    ['ER_MUST_CHANGE_PASSWORD_LOGIN', 1862, 'AuthenticationFailed', 'AuthenticationFailed'],
    ['ER_ACCOUNT_HAS_BEEN_LOCKED', 3118, 'AuthenticationFailed', 'AuthenticationFailed'],
    ['ER_HOST_NOT_PRIVILEGED', 1130, 'AuthenticationFailed', 'AuthenticationFailed'],
    ['AUTH_SWITCH_PLUGIN_ERROR', undefined, 'AuthenticationFailed', 'AuthenticationFailed'],
    [undefined, 4151, 'AuthenticationFailed', 'AuthenticationFailed'],
    ['ECONNREFUSED', -111, 'ConnectionFailed', 'ConnectionFailed'],
    ['ENOTFOUND', -3008, 'ConnectionFailed', 'ConnectionFailed'],
    ['EAI_AGAIN', -3001, 'ConnectionFailed', 'ConnectionFailed'],
    ['ETIMEDOUT', undefined, 'ConnectionFailed', 'SourceInterrupted'],
    ['EHOSTUNREACH', -113, 'ConnectionFailed', 'ConnectionFailed'],
    ['ER_CON_COUNT_ERROR', 1040, 'ConnectionFailed', 'ConnectionFailed'],
    ['ER_TOO_MANY_USER_CONNECTIONS', 1203, 'ConnectionFailed', 'ConnectionFailed'],
    ['ER_HOST_IS_BLOCKED', 1129, 'ConnectionFailed', 'ConnectionFailed'],
    ['ER_SERVER_OFFLINE_MODE', 3032, 'ConnectionFailed', 'ConnectionFailed'],
    ['HANDSHAKE_SSL_ERROR', undefined, 'ConfigurationInvalid', 'ConfigurationInvalid'],
    ['HANDSHAKE_NO_SSL_SUPPORT', undefined, 'ConfigurationInvalid', 'ConfigurationInvalid'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', undefined, 'ConfigurationInvalid', 'ConfigurationInvalid'],
    ['SELF_SIGNED_CERT_IN_CHAIN', undefined, 'ConfigurationInvalid', 'ConfigurationInvalid'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', undefined, 'ConfigurationInvalid', 'ConfigurationInvalid'],
    ['CERT_HAS_EXPIRED', undefined, 'ConfigurationInvalid', 'ConfigurationInvalid'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', undefined, 'ConfigurationInvalid', 'ConfigurationInvalid'],
    ['ER_SECURE_TRANSPORT_REQUIRED', 3159, 'ConfigurationInvalid', 'ConfigurationInvalid'],
    ['ER_BAD_DB_ERROR', 1049, 'ConfigurationInvalid', 'ConfigurationInvalid'],
    ['ER_DBACCESS_DENIED_ERROR', 1044, 'PermissionDenied', 'PermissionDenied'],
    ['ER_TABLEACCESS_DENIED_ERROR', 1142, 'PermissionDenied', 'PermissionDenied'],
    ['ER_COLUMNACCESS_DENIED_ERROR', 1143, 'PermissionDenied', 'PermissionDenied'],
    ['ER_SPECIFIC_ACCESS_DENIED_ERROR', 1227, 'PermissionDenied', 'PermissionDenied'],
    ['ER_NO_SUCH_TABLE', 1146, 'TableNotFound', 'TableNotFound'],
    ['PROTOCOL_CONNECTION_LOST', undefined, 'ConnectionFailed', 'SourceInterrupted'],
    ['ECONNRESET', -104, 'ConnectionFailed', 'SourceInterrupted'],
    ['EPIPE', -32, 'ConnectionFailed', 'SourceInterrupted'],
    ['ER_SERVER_SHUTDOWN', 1053, 'ConnectionFailed', 'SourceInterrupted'],
    ['ER_CLIENT_INTERACTION_TIMEOUT', 4031, 'SourceInterrupted', 'SourceInterrupted'],
    ['ER_QUERY_INTERRUPTED', 1317, 'SourceInterrupted', 'SourceInterrupted'],
    ['ER_QUERY_TIMEOUT', 3024, 'SourceInterrupted', 'SourceInterrupted'],
    ['ER_LOCK_WAIT_TIMEOUT', 1205, 'SourceInterrupted', 'SourceInterrupted'],
    ['ER_LOCK_DEADLOCK', 1213, 'SourceInterrupted', 'SourceInterrupted'],
    ['ER_TABLE_DEF_CHANGED', 1412, 'SourceInterrupted', 'SourceInterrupted'],
    [undefined, 1927, 'SourceInterrupted', 'SourceInterrupted'],
    [undefined, 1969, 'SourceInterrupted', 'SourceInterrupted'],
    ['ER_NET_PACKET_TOO_LARGE', 1153, 'SourceRejected', 'SourceRejected'],
    ['ER_MAX_PREPARED_STMT_COUNT_REACHED', 1461, 'SourceInterrupted', 'SourceInterrupted'],
    ['ER_UNSUPPORTED_PS', 1295, 'SourceInterrupted', 'SourceInterrupted'],
    // An answer to a prepared statement has numbers only.
    ...[1053, 1158, 1159, 1160, 1161, 1205, 1213, 1317, 1412, 1615, 1689, 3024, 3572, 4031].map(
      (errno) => [undefined, errno, 'SourceInterrupted', 'SourceInterrupted'] as const,
    ),
    ...[1044, 1142, 1143, 1227, 1370].map(
      (errno) => [undefined, errno, 'PermissionDenied', 'PermissionDenied'] as const,
    ),
    [undefined, 1146, 'TableNotFound', 'TableNotFound'],
    [undefined, 1153, 'SourceRejected', 'SourceRejected'],
    [undefined, 1242, 'ConnectionFailed', 'SourceRejected'],
    ['ER_PARSE_ERROR', 1064, 'ConnectionFailed', 'SourceRejected'],
    ['ER_BAD_FIELD_ERROR', 1054, 'ConnectionFailed', 'SourceRejected'],
    [undefined, 60_000, 'ConnectionFailed', 'SourceRejected'],
    [undefined, undefined, 'ConnectionFailed', 'SourceInterrupted'],
  ];

describe('MySQL errors', () => {
  for (const [code, errno, connecting, asking] of TABLE) {
    it(`${code ?? errno ?? 'an error without a code'} is ${connecting} or ${asking}`, () => {
      const error = driverError(code, errno);
      const whileConnecting = toComportaError(error, { ...CONTEXT, phase: 'connect' });
      assert.equal(whileConnecting.code, connecting);
      const whileAsking = toComportaError(error, { ...CONTEXT, table: 'orders' });
      assert.equal(whileAsking.code, asking);
      assert.match(whileAsking.message, /^orders: /);
      assert.equal(whileAsking.cause, error);
    });
  }

  it('says what to do about everything that no other attempt mends', () => {
    for (const [code, errno] of TABLE) {
      const error = toComportaError(driverError(code, errno), { ...CONTEXT, phase: 'connect' });
      if (!error.retryable && error.code !== 'SourceRejected') assert.ok(error.remedy, code);
    }
  });

  it('shows the filter that the server refused', () => {
    const error = toComportaError(driverError('ER_PARSE_ERROR', 1064), {
      ...CONTEXT,
      where: 'x = = 1',
    });
    assert.match(error.message, /filter "x = = 1"/);
  });

  it('leaves its own errors as they are', () => {
    const own = new ComportaError('ValueUnfaithful', 'kept');
    assert.equal(toComportaError(own, CONTEXT), own);
  });
});
