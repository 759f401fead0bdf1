import assert from 'node:assert/strict';
import type { ErrorCode } from '../../../src/errors';
import { glueError, glueRunFailure, stopError } from '../../../src/engines/glue/errors';
import { PassingTrouble, type Trouble } from '../../../src/engines/jobs/platform';

const PLACE = { action: 'start Glue job ingest', connection: 'spark_platform', job: 'ingest' };

/** As the SDK throws it. */
const thrown = (name: string, more: object = {}) =>
  Object.assign(new Error('what AWS said'), { name, ...more });

function meaningOf(error: unknown): readonly [ErrorCode, Trouble | 'lasting'] {
  const found = glueError(error, PLACE);
  return found instanceof PassingTrouble
    ? [found.failure.code, found.trouble]
    : [found.code, 'lasting'];
}

describe('an error of Glue', () => {
  const names: readonly (readonly [string, ErrorCode, Trouble | 'lasting'])[] = [
    ['ConcurrentRunsExceededException', 'EngineFailed', 'waiting'],
    ['ResourceNumberLimitExceededException', 'EngineFailed', 'quota'],
    ['ThrottlingException', 'EngineFailed', 'quota'],
    ['InternalServiceException', 'ConnectionFailed', 'unavailable'],
    ['OperationTimeoutException', 'ConnectionFailed', 'unavailable'],
    ['TimeoutError', 'ConnectionFailed', 'unavailable'],
    ['EntityNotFoundException', 'ConfigurationInvalid', 'lasting'],
    ['InvalidInputException', 'ConfigurationInvalid', 'lasting'],
    ['ValidationException', 'ConfigurationInvalid', 'lasting'],
    ['AccessDeniedException', 'PermissionDenied', 'lasting'],
    ['UnrecognizedClientException', 'AuthenticationFailed', 'lasting'],
    ['InvalidSignatureException', 'AuthenticationFailed', 'lasting'],
    ['ExpiredTokenException', 'AuthenticationFailed', 'lasting'],
    ['CredentialsProviderError', 'AuthenticationFailed', 'lasting'],
    ['SomethingNewException', 'EngineFailed', 'lasting'],
  ];
  for (const [name, ...meaning] of names) {
    it(`of the name ${name} is ${meaning.join(', ')}`, () => {
      assert.deepEqual(meaningOf(thrown(name)), meaning);
    });
  }

  it('of the network is known by its code', () => {
    for (const code of ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOTFOUND', 'ETIMEDOUT']) {
      assert.deepEqual(meaningOf(thrown('Error', { code })), ['ConnectionFailed', 'unavailable']);
    }
  });

  it('of the server without a name passes', () => {
    const error = thrown('502', { $metadata: { httpStatusCode: 502 } });
    assert.deepEqual(meaningOf(error), ['ConnectionFailed', 'unavailable']);
  });

  it('tells nothing of what was signed', () => {
    const { message } = glueError(thrown('InvalidSignatureException'), PLACE);
    assert.equal(
      message,
      'cannot start Glue job ingest: InvalidSignatureException — correct the credentials of connection "spark_platform"',
    );
  });

  it('inside a successful answer is read alike', () => {
    const refused = stopError({ ErrorCode: 'ThrottlingException', ErrorMessage: 'slow' }, PLACE);
    assert.ok(refused instanceof PassingTrouble);
    assert.match(refused.failure.message, /ThrottlingException: slow/);
    const lasting = stopError({ ErrorCode: 'InvalidInputException' }, PLACE);
    assert.ok(!(lasting instanceof PassingTrouble));
  });
});

describe('the end of a run of Glue', () => {
  const ends: readonly (readonly [string, string | undefined, ErrorCode, RegExp])[] = [
    ['FAILED', 'Command failed with exit code 1', 'EngineFailed', /Command failed/],
    ['FAILED', 'Error Category: RESOURCE_NOT_FOUND_ERROR', 'EngineFailed', /RESOURCE_NOT_FOUND/],
    [
      'FAILED',
      'User: arn:aws:sts::1:assumed-role/r is not authorized to perform: s3:PutObject',
      'PermissionDenied',
      /give the role of job ingest what the message names/,
    ],
    ['TIMEOUT', undefined, 'EngineFailed', /raise the timeout of connection "spark_platform"/],
    ['STOPPED', undefined, 'EngineFailed', /stopped by somebody/],
    ['ERROR', undefined, 'EngineFailed', /see that job ingest is still there/],
    ['EXPIRED', undefined, 'EngineFailed', /waited too long/],
  ];
  for (const [state, detail, code, said] of ends) {
    it(`as ${state}${detail === undefined ? '' : ` with “${detail.slice(0, 40)}”`} is ${code}`, () => {
      const failure = glueRunFailure('jr_1', state, detail, PLACE);
      assert.equal(failure.code, code);
      assert.match(failure.message, said);
    });
  }
});
