import { ComportaError, type ErrorCode } from '../errors';
import { SIGN_IN_PROBLEM } from '../google/sign-in';

interface Meaning {
  readonly code: ErrorCode;
  readonly problem: string;
  readonly remedy: string;
}

/** The secret itself is not what it should be. */
export function invalidSecret(reference: string, problem: string): ComportaError {
  return new ComportaError('ConfigurationInvalid', `secret ${reference} ${problem}`, {
    remedy: 'correct the secret, or the reference to it',
  });
}

const meaning = (code: ErrorCode, problem: string, remedy: string): Meaning => ({
  code,
  problem,
  remedy,
});

const absent = (remedy: string) => meaning('ConfigurationInvalid', 'does not exist', remedy);
const unreachable = (problem: string) =>
  meaning(
    'ConnectionFailed',
    problem,
    'check the network of this machine and the platform’s status',
  );
const unknown = unreachable('cannot be read now');

const NO_GOOGLE_CREDENTIALS = meaning(
  'AuthenticationFailed',
  'cannot be read: Google Cloud refuses the credentials, or there are none',
  'give the worker a service account (application default credentials)',
);

/** By gRPC's status: https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
const GOOGLE: Readonly<Record<number, Meaning>> = {
  3: meaning('ConfigurationInvalid', 'is no name of a secret', 'correct the reference'),
  4: unreachable('was not answered in time'),
  5: absent('create it and a version of it, or correct the reference'),
  7: meaning(
    'PermissionDenied',
    'may not be read',
    'grant roles/secretmanager.secretAccessor on the secret to the worker’s service account',
  ),
  8: unreachable('was asked for more often than the quota allows'),
  9: meaning(
    'ConfigurationInvalid',
    'has a version that is disabled or destroyed',
    'enable it, or name another version',
  ),
  14: unreachable('cannot be reached'),
  16: NO_GOOGLE_CREDENTIALS,
};

/** An error of Google's client as Comporta's own; never its message. */
export function googleSecretError(error: unknown, reference: string): ComportaError {
  const { code, message } = (error ?? {}) as { readonly code?: unknown; readonly message?: string };
  // The library that finds credentials throws before there is a call, and so without a status.
  const withoutCredentials = typeof code !== 'number' && SIGN_IN_PROBLEM.test(message ?? '');
  const known = withoutCredentials ? NO_GOOGLE_CREDENTIALS : GOOGLE[Number(code)];
  return asError(known ?? unknown, reference);
}

const refused = (problem: string) =>
  meaning(
    'AuthenticationFailed',
    `cannot be read: ${problem}`,
    'give the worker a role, or correct its AWS credentials',
  );
const WRONG_NAME = meaning(
  'ConfigurationInvalid',
  'is no name of a secret',
  'correct the reference',
);
const DENIED = meaning(
  'PermissionDenied',
  'may not be read',
  'allow secretsmanager:GetSecretValue on the secret, and kms:Decrypt on its key if that is your own',
);

/** By the error's name: Secrets Manager API, GetSecretValue and "Common Errors". */
const AWS: Readonly<Record<string, Meaning>> = {
  ResourceNotFoundException: absent('create it, or correct the reference and the region'),
  AccessDeniedException: DENIED,
  DecryptionFailure: DENIED,
  InvalidRequestException: meaning(
    'ConfigurationInvalid',
    'is marked for deletion',
    'restore it, or name another secret',
  ),
  InvalidParameterException: WRONG_NAME,
  ValidationException: WRONG_NAME,
  UnrecognizedClientException: refused('the access key is unknown'),
  InvalidClientTokenId: refused('the access key is unknown'),
  InvalidSignatureException: refused('the secret key is wrong'),
  ExpiredTokenException: refused('the credentials have expired'),
  CredentialsProviderError: refused('no credentials were found'),
  TokenProviderError: refused('no credentials were found'),
  ThrottlingException: unreachable('was asked for more often than AWS allows'),
  TimeoutError: unreachable('was not answered in time'),
};

/** An error of the AWS SDK as Comporta's own; never its message. */
export function awsSecretError(error: unknown, reference: string): ComportaError {
  const { name, message } = (error ?? {}) as { readonly name?: string; readonly message?: string };
  if (message === 'Region is missing') {
    return asError(
      meaning('ConfigurationInvalid', 'has no region', 'set AWS_REGION, or name the secret by ARN'),
      reference,
    );
  }
  return asError(AWS[name ?? ''] ?? unknown, reference);
}

function asError({ code, problem, remedy }: Meaning, reference: string): ComportaError {
  return new ComportaError(code, `secret ${reference} ${problem}`, { remedy });
}
