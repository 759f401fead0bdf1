import assert from 'node:assert/strict';
import type { ErrorCode } from '../../src/errors';
import { awsSecretError, googleSecretError } from '../../src/secrets/errors';

const SAID = 'hunter2 was said';

function holds(
  map: (error: unknown, reference: string) => Error & { readonly code: ErrorCode },
  reference: string,
  cases: readonly (readonly [string, unknown, ErrorCode, RegExp])[],
): void {
  for (const [name, error, code, message] of cases) {
    it(name, () => {
      const mapped = map(error, reference);
      assert.equal(mapped.code, code);
      assert.match(mapped.message, message);
      assert.ok(mapped.message.startsWith(`secret ${reference} `), mapped.message);
      assert.ok(!`${mapped.stack} ${String(mapped.cause)}`.includes('hunter2'));
    });
  }
}

describe('errors of Google Secret Manager', () => {
  const status = (code: number) => Object.assign(new Error(SAID), { code });
  holds(googleSecretError, 'gsm:projects/p/secrets/s/versions/latest', [
    ['INVALID_ARGUMENT', status(3), 'ConfigurationInvalid', /is no name of a secret/],
    ['DEADLINE_EXCEEDED', status(4), 'ConnectionFailed', /not answered in time/],
    ['NOT_FOUND', status(5), 'ConfigurationInvalid', /does not exist — create it/],
    ['PERMISSION_DENIED', status(7), 'PermissionDenied', /secretmanager\.secretAccessor/],
    ['RESOURCE_EXHAUSTED', status(8), 'ConnectionFailed', /quota/],
    ['FAILED_PRECONDITION', status(9), 'ConfigurationInvalid', /disabled or destroyed/],
    ['INTERNAL', status(13), 'ConnectionFailed', /cannot be read now/],
    ['UNAVAILABLE', status(14), 'ConnectionFailed', /cannot be reached/],
    ['UNAUTHENTICATED', status(16), 'AuthenticationFailed', /refuses the credentials/],
    [
      'no credentials',
      new Error(`Could not load the default credentials. ${SAID}`),
      'AuthenticationFailed',
      /or there are none — give the worker a service account/,
    ],
    ['anything else', new Error(SAID), 'ConnectionFailed', /cannot be read now/],
  ]);
});

describe('errors of AWS Secrets Manager', () => {
  const named = (name: string) => Object.assign(new Error(SAID), { name });
  holds(awsSecretError, 'asm:shop#password', [
    [
      'ResourceNotFoundException',
      named('ResourceNotFoundException'),
      'ConfigurationInvalid',
      /does not exist/,
    ],
    ['AccessDeniedException', named('AccessDeniedException'), 'PermissionDenied', /GetSecretValue/],
    ['DecryptionFailure', named('DecryptionFailure'), 'PermissionDenied', /kms:Decrypt/],
    [
      'InvalidRequestException',
      named('InvalidRequestException'),
      'ConfigurationInvalid',
      /deletion/,
    ],
    ['ValidationException', named('ValidationException'), 'ConfigurationInvalid', /no name/],
    [
      'UnrecognizedClientException',
      named('UnrecognizedClientException'),
      'AuthenticationFailed',
      /key is unknown/,
    ],
    [
      'InvalidSignatureException',
      named('InvalidSignatureException'),
      'AuthenticationFailed',
      /wrong/,
    ],
    ['ExpiredTokenException', named('ExpiredTokenException'), 'AuthenticationFailed', /expired/],
    [
      'CredentialsProviderError',
      named('CredentialsProviderError'),
      'AuthenticationFailed',
      /no credentials/,
    ],
    ['ThrottlingException', named('ThrottlingException'), 'ConnectionFailed', /more often/],
    ['InternalServiceError', named('InternalServiceError'), 'ConnectionFailed', /read now/],
    [
      'a cut connection',
      Object.assign(new Error(SAID), { code: 'ECONNRESET' }),
      'ConnectionFailed',
      /read now/,
    ],
    ['no region', new Error('Region is missing'), 'ConfigurationInvalid', /set AWS_REGION/],
  ]);
});
