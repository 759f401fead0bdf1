import assert from 'node:assert/strict';
import { ComportaError, type ErrorCode } from '../../src/errors';
import { historyErrorOfBigquery } from '../../src/history/bigquery/errors';

/** As the client throws what BigQuery answered. */
function answered(code: number, reason: string, message = 'as it says'): Error {
  const whole = `Multiple errors occurred during the request.\n\n    1. ${message}\n`;
  return Object.assign(new Error(whole), { code, errors: [{ reason, message }] });
}

describe('errors of the BigQuery history', () => {
  const cases: [string, Error, ErrorCode, RegExp][] = [
    ['a missing role', answered(403, 'accessDenied'), 'PermissionDenied', /docs\/bigquery\.md/],
    ['no billing', answered(403, 'billingNotEnabled'), 'PermissionDenied', /billing/],
    ['too many requests', answered(403, 'rateLimitExceeded'), 'HistoryFailed', /as it says/],
    ['a quota', answered(403, 'quotaExceeded'), 'HistoryFailed', /as it says/],
    ['a dataset elsewhere', answered(404, 'notFound'), 'ConfigurationInvalid', /location/],
    ['a changed table', answered(400, 'invalidQuery'), 'ConfigurationInvalid', /by hand/],
    ['a bad name', answered(400, 'invalid'), 'ConfigurationInvalid', /as it says/],
    ['a bad token', answered(401, 'authError'), 'AuthenticationFailed', /service account/],
    [
      'no credentials',
      new Error('Could not load the default credentials. Browse to https://cloud.google.com'),
      'AuthenticationFailed',
      /GOOGLE_APPLICATION_CREDENTIALS/,
    ],
    [
      'a key file that is none',
      new Error(
        'Unable to read the credential file specified by the GOOGLE_APPLICATION_CREDENTIALS environment variable: Unexpected token',
      ),
      'AuthenticationFailed',
      /service account/,
    ],
    [
      'a revoked key',
      Object.assign(new Error('invalid_grant: Invalid JWT Signature.'), { code: '400' }),
      'AuthenticationFailed',
      /service account/,
    ],
    ['a fault of the service', answered(503, 'backendError'), 'HistoryFailed', /as it says/],
    [
      'a closed port',
      Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }),
      'HistoryFailed',
      /project\.dataset.*ECONNREFUSED/,
    ],
    [
      'a query without answer',
      new Error('The query did not complete before 60000ms'),
      'HistoryFailed',
      /did not complete/,
    ],
  ];
  for (const [name, error, code, message] of cases) {
    it(`${name} is ${code}`, () => {
      const mapped = historyErrorOfBigquery(error, 'project.dataset');
      assert.strictEqual(mapped.code, code);
      assert.match(mapped.message, message);
      assert.strictEqual(mapped.cause, error);
      assert.doesNotMatch(mapped.message, /Multiple errors/);
    });
  }

  it('that are Comporta’s own pass', () => {
    const own = new ComportaError('ConfigurationInvalid', 'too new');
    assert.strictEqual(historyErrorOfBigquery(own, 'project.dataset'), own);
  });
});
