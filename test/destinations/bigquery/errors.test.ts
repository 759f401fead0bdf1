import assert from 'node:assert/strict';
import { destinationErrorOfBigquery } from '../../../src/destinations/bigquery/errors';
import { ComportaError, type ErrorCode } from '../../../src/errors';

/** As the client throws what BigQuery answered, and what a job that failed says. */
function answered(reason: string, message: string, code?: number): Error {
  return Object.assign(new Error(`Many words.\n${message}`), {
    ...(code === undefined ? {} : { code }),
    errors: [{ reason, message }],
  });
}

describe('errors of a destination in BigQuery', () => {
  const cases: [string, Error, ErrorCode, RegExp][] = [
    [
      'a missing role',
      answered('accessDenied', 'Access Denied: bigquery.tables.create', 403),
      'PermissionDenied',
      /docs\/bigquery\.md/,
    ],
    [
      'a dataset elsewhere',
      answered('notFound', 'Not found: Dataset p:d was not found in location EU', 404),
      'ConfigurationInvalid',
      /location of the connection/,
    ],
    [
      'a file that is gone',
      answered('notFound', 'Not found: URI gs://lake/raw/part-0000.parquet'),
      'DestinationFailed',
      /gs:\/\/lake/,
    ],
    [
      'a value that no column holds',
      answered('invalid', 'Error while reading data, error message: out of range'),
      'ValueUnfaithful',
      /columns\.text/,
    ],
    [
      'a number that JSON would round',
      answered('invalidQuery', 'Invalid input to PARSE_JSON: syntax error'),
      'ValueUnfaithful',
      /columns\.text/,
    ],
    [
      'a statement that fails',
      answered('invalidQuery', 'UPDATE/MERGE must match at most one source row'),
      'ConfigurationInvalid',
      /at most one/,
    ],
    ['a quota', answered('quotaExceeded', 'too many loads', 403), 'DestinationFailed', /too many/],
    ['a fault of the service', answered('backendError', 'try again'), 'DestinationFailed', /again/],
    ['a job that somebody stopped', answered('stopped', 'by hand'), 'DestinationFailed', /by hand/],
    [
      'no credentials',
      new Error('Could not load the default credentials.'),
      'AuthenticationFailed',
      /GOOGLE_APPLICATION_CREDENTIALS/,
    ],
  ];
  for (const [name, error, code, message] of cases) {
    it(`${name} is ${code}`, () => {
      const mapped = destinationErrorOfBigquery(error, 'table p.d.orders');
      assert.equal(mapped.code, code);
      assert.match(mapped.message, message);
      assert.match(mapped.message, /^table p\.d\.orders failed: /);
      assert.doesNotMatch(mapped.message, /Many words/);
    });
  }

  it('that are Comporta’s own pass', () => {
    const own = new ComportaError('ConfigurationInvalid', 'Error while reading data');
    assert.equal(destinationErrorOfBigquery(own, 'table'), own);
  });
});
