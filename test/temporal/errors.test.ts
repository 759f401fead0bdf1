import assert from 'node:assert/strict';
import { ServiceError } from '@temporalio/client';
import { NamespaceNotFoundError } from '@temporalio/common';
import { callTemporal, temporalError } from '../../src/temporal/errors';

const server = { address: 'temporal.example:7233', namespace: 'loads' };

function grpcError(code: number, details: string): Error {
  return Object.assign(new Error(`${code}: ${details}`), { code, details, metadata: {} });
}

describe('temporalError', () => {
  const table: [string, unknown, string | undefined, RegExp | undefined][] = [
    [
      'UNAVAILABLE',
      grpcError(14, 'connection dropped'),
      'ConnectionFailed',
      /does not answer: conn/,
    ],
    ['DEADLINE_EXCEEDED', grpcError(4, ''), 'ConnectionFailed', /7233 does not answer — start it/],
    ['UNAUTHENTICATED', grpcError(16, 'x'), 'AuthenticationFailed', /TEMPORAL_API_KEY/],
    ['PERMISSION_DENIED', grpcError(7, 'x'), 'PermissionDenied', /namespace "loads"/],
    ['RESOURCE_EXHAUSTED', grpcError(8, 'rps'), 'ConnectionFailed', /overloaded: rps/],
    ['UNIMPLEMENTED', grpcError(12, 'x'), 'ConfigurationInvalid', /too old/],
    ['INVALID_ARGUMENT', grpcError(3, 'bad cron'), 'ConfigurationInvalid', /refused .*: bad cron/],
    ['INTERNAL', grpcError(13, 'oops'), 'ConnectionFailed', /gRPC status 13: oops/],
    [
      'an error wrapped by the SDK',
      new ServiceError('Failed to start Workflow', { cause: grpcError(14, 'gone') }),
      'ConnectionFailed',
      /gone/,
    ],
    [
      'a missing namespace',
      new NamespaceNotFoundError('loads'),
      'ConfigurationInvalid',
      /temporal operator namespace create loads/,
    ],
    ['anything else', new TypeError('bug'), undefined, undefined],
  ];
  for (const [name, error, code, message] of table) {
    it(`maps ${name}`, () => {
      const mapped = temporalError(error, server);
      assert.equal(mapped?.code, code);
      if (message !== undefined) assert.match(mapped?.message ?? '', message);
    });
  }
});

describe('callTemporal', () => {
  it('maps what it knows and passes the rest on', async () => {
    await assert.rejects(
      callTemporal(server, () => Promise.reject(grpcError(14, ''))),
      { code: 'ConnectionFailed' },
    );
    const bug = new TypeError('bug');
    await assert.rejects(
      callTemporal(server, () => Promise.reject(bug)),
      bug,
    );
    assert.equal(await callTemporal(server, () => Promise.resolve(1)), 1);
  });
});
