import assert from 'node:assert/strict';
import { gcsError, isGcsConflict, isGcsMissing } from '../../src/destinations/parquet/gcs-errors';
import { ComportaError, RETRYABLE, type ErrorCode } from '../../src/errors';

describe('errors of Google Cloud Storage', () => {
  const place = { action: 'write a', connection: 'lake', description: 'gs://b/p' };
  /** As the client itself throws them. */
  const http = (status: number, reason?: string, message = 'ya29.TOKEN of me@example.com') =>
    Object.assign(new Error(message), {
      code: status,
      ...(reason === undefined ? {} : { errors: [{ reason, message }] }),
    });
  /** As gaxios does, by which large files go. */
  const gaxios = (status: number) =>
    Object.assign(new Error('ya29.TOKEN'), { code: String(status), status });
  const errno = (code: string) => Object.assign(new Error('ya29.TOKEN'), { code });
  const fetchTimeout = Object.assign(new Error('ya29.TOKEN'), { type: 'request-timeout' });

  const cases: [string, Error, ErrorCode, RegExp][] = [
    ['401', http(401, 'authError'), 'AuthenticationFailed', /refuses the credentials.*"lake"/],
    [
      'no default credentials',
      new Error('Could not load the default credentials. ya29.TOKEN'),
      'AuthenticationFailed',
      /or there are none — correct the credentials of connection "lake"/,
    ],
    [
      'a deleted key',
      Object.assign(new Error('invalid_grant: ya29.TOKEN'), { code: '400', status: 400 }),
      'AuthenticationFailed',
      /refuses the credentials/,
    ],
    [
      '403',
      http(403, 'forbidden'),
      'PermissionDenied',
      /denied — grant roles\/storage\.objectUser/,
    ],
    ['403 over quota', http(403, 'rateLimitExceeded'), 'DestinationFailed', /too many requests/],
    [
      '404 of a bucket',
      http(404, 'notFound', 'The specified bucket does not exist.'),
      'ConfigurationInvalid',
      /bucket does not exist — create it/,
    ],
    ['404 of an object', http(404, 'notFound'), 'DestinationFailed', /HTTP 404 \(notFound\)/],
    ['408', http(408), 'DestinationFailed', /cannot write a in gs:\/\/b\/p: HTTP 408/],
    ['410', gaxios(410), 'DestinationFailed', /HTTP 410/],
    ['412', http(412, 'conditionNotMet'), 'DestinationFailed', /HTTP 412 \(conditionNotMet\)/],
    ['429', http(429, 'rateLimitExceeded'), 'DestinationFailed', /too many requests — .*fewer/],
    ['500', http(500, 'backendError'), 'DestinationFailed', /HTTP 500 \(backendError\)/],
    ['503 of a large file', gaxios(503), 'DestinationFailed', /HTTP 503/],
    ['ECONNREFUSED', errno('ECONNREFUSED'), 'ConnectionFailed', /refused — check the endpoint/],
    ['ECONNRESET', errno('ECONNRESET'), 'ConnectionFailed', /was cut/],
    ['ENOTFOUND', errno('ENOTFOUND'), 'ConnectionFailed', /no host of that name/],
    ['a late answer', fetchTimeout, 'ConnectionFailed', /did not answer in time/],
    ['CERT_HAS_EXPIRED', errno('CERT_HAS_EXPIRED'), 'ConnectionFailed', /not trusted/],
    ['ENOSPC', errno('ENOSPC'), 'DestinationFailed', /disk is full — make room/],
    ['anything else', new Error('ya29.TOKEN'), 'DestinationFailed', /the client failed/],
  ];
  const FINAL = new Set<ErrorCode>([
    'AuthenticationFailed',
    'PermissionDenied',
    'ConfigurationInvalid',
  ]);

  for (const [name, error, code, message] of cases) {
    it(name, () => {
      const mapped = gcsError(error, place);
      assert.equal(mapped.code, code);
      assert.match(mapped.message, message);
      assert.equal(mapped.retryable, RETRYABLE[code]);
      assert.equal(mapped.retryable, !FINAL.has(code));
    });
  }

  it('never repeats what the server said', () => {
    for (const [name, error] of cases) {
      const { message, stack, cause } = gcsError(error, place);
      if (name === 'ENOSPC') continue;
      assert.ok(!`${message} ${stack} ${String(cause)}`.includes('ya29'), name);
    }
  });

  it('passes Comporta’s own', () => {
    const own = new ComportaError('LeaseLost', 'gone');
    assert.equal(gcsError(own, place), own);
  });

  it('knows an absent object from an absent bucket, and a refused condition', () => {
    assert.ok(isGcsMissing(http(404, 'notFound', 'No such object: b/a')));
    assert.ok(!isGcsMissing(http(404, 'notFound', 'The specified bucket does not exist.')));
    assert.ok(isGcsConflict(http(412)));
    assert.ok(!isGcsConflict(http(409)));
  });
});
