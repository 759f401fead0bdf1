import assert from 'node:assert/strict';
import { exitCodeOf } from '../../src/client/exit-codes';
import { ComportaError, RETRYABLE, type ErrorCode } from '../../src/errors';

const EXPECTED: Readonly<Record<ErrorCode, number>> = {
  ConfigurationInvalid: 2,
  ConnectionFailed: 3,
  AuthenticationFailed: 3,
  PermissionDenied: 1,
  TableNotFound: 2,
  TypeUnsupported: 1,
  ValueUnfaithful: 1,
  RowCountMismatch: 1,
  EmptyingRefused: 1,
  SchemaChanged: 1,
  EngineFailed: 1,
  SourceInterrupted: 3,
  SourceRejected: 1,
  DestinationFailed: 3,
  HistoryFailed: 3,
  LeaseLost: 1,
  NotificationFailed: 3,
  TablesFailed: 1,
};

describe('exitCodeOf', () => {
  for (const code of Object.keys(RETRYABLE) as ErrorCode[]) {
    it(`${code} is ${EXPECTED[code]}`, () =>
      assert.equal(exitCodeOf(new ComportaError(code, 'x')), EXPECTED[code]));
  }

  it('anything unforeseen is 1', () => assert.equal(exitCodeOf(new TypeError('bug')), 1));
});
