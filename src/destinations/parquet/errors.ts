import { ComportaError, messageOf, type ErrorCode } from '../../errors';

/** What the destination was doing, for the message: "write raw/sales/orders/… to file:/lake". */
type Action = string;

interface Meaning {
  readonly code: ErrorCode;
  readonly problem: string;
  readonly remedy: string;
}

const FILE_MEANINGS: Readonly<Record<string, Meaning>> = {
  EACCES: permission('the file system refuses it'),
  EPERM: permission('the file system refuses it'),
  EROFS: permission('the file system is read-only'),
  ENOSPC: full('the disk is full'),
  EDQUOT: full('the disk quota is used up'),
  ENOTDIR: misplaced('a part of the path is a file'),
  EISDIR: misplaced('a folder lies where a file belongs'),
  ENAMETOOLONG: misplaced('the name is too long for the file system'),
};

function permission(problem: string): Meaning {
  return {
    code: 'PermissionDenied',
    problem,
    remedy: 'let the user that runs the worker write to the folder of the lake',
  };
}

function full(problem: string): Meaning {
  return {
    code: 'DestinationFailed',
    problem,
    remedy: 'make room, or keep fewer runs (retention)',
  };
}

function misplaced(problem: string): Meaning {
  return { code: 'ConfigurationInvalid', problem, remedy: 'correct the path of the connection' };
}

/** An error of the file system as Comporta's own. */
export function fileError(error: unknown, action: Action): ComportaError {
  if (error instanceof ComportaError) return error;
  const code = errnoOf(error);
  const meaning = code === undefined ? undefined : FILE_MEANINGS[code];
  if (meaning !== undefined) return failure(meaning, action, error);
  return new ComportaError('DestinationFailed', `cannot ${action}: ${messageOf(error)}`, {
    cause: error,
  });
}

/** An error of the file system itself, met on the way from or to a storage; undefined for others. */
export function fileProblem(error: unknown, action: Action): ComportaError | undefined {
  const meaning = FILE_MEANINGS[errnoOf(error) ?? ''];
  return meaning === undefined ? undefined : failure(meaning, action, error);
}

/** What was staged for a publication is not there any more. */
export function stagedFileGone(path: string): ComportaError {
  return new ComportaError('DestinationFailed', `the staged ${path} is gone`, {
    remedy: 'the load is tried again from the start',
  });
}

export function isAbsent(error: unknown): boolean {
  return errnoOf(error) === 'ENOENT';
}

function errnoOf(error: unknown): string | undefined {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

function failure(meaning: Meaning, action: Action, cause: unknown): ComportaError {
  return new ComportaError(meaning.code, `cannot ${action}: ${meaning.problem}`, {
    remedy: meaning.remedy,
    cause,
  });
}

/** Kinds of DuckDB's errors that speak of files and columns, never of values. */
const TELLABLE = /^(IO|Binder|Catalog|Parser|Not implemented) Error/;

/**
 * An error of DuckDB as Comporta's own. Its message may quote values of the table and is therefore
 * told only where it cannot.
 */
export function duckdbError(error: unknown): ComportaError {
  if (error instanceof ComportaError) return error;
  const message = messageOf(error);
  if (/No space left|failed to offload|max_temp_directory_size/i.test(message)) {
    return failure(full('the disk is full'), 'merge', error);
  }
  if (/^Out of Memory/i.test(message)) {
    return new ComportaError('DestinationFailed', 'a merge needs more than its 512 MB of memory', {
      remedy: 'use mode: full for this table, or a shorter key',
    });
  }
  const [line = ''] = message.split('\n');
  const told = TELLABLE.test(line)
    ? line
    : (/^[A-Z][A-Za-z ]+ Error/.exec(line)?.[0] ?? 'an error');
  return new ComportaError('DestinationFailed', `DuckDB could not merge: ${told}`, {
    remedy: 'look at the files that the present state names; a load in mode: full replaces them',
  });
}

export interface S3Place {
  readonly action: Action;
  /** Name of the connection. */
  readonly connection: string;
  readonly bucket: string;
  readonly description: string;
}

/** What an error means, with what to do about it at a place. */
export interface Failure<Place> {
  readonly code: ErrorCode;
  readonly problem: string;
  readonly remedy: (place: Place) => string;
}

type S3Failure = Failure<S3Place>;

const REFUSED_CREDENTIALS = (problem: string): S3Failure => ({
  code: 'AuthenticationFailed',
  problem,
  remedy: ({ connection }) => `correct the credentials of connection "${connection}"`,
});

const WRONG_REGION: S3Failure = {
  code: 'ConfigurationInvalid',
  problem: 'the bucket is in another region',
  remedy: ({ connection }) => `correct the region of connection "${connection}"`,
};

/** What network errors mean, whatever the storage. */
type NetworkFailure = Failure<{ readonly connection: string }>;

const UNREACHABLE = (problem: string): NetworkFailure => ({
  code: 'ConnectionFailed',
  problem,
  remedy: ({ connection }) => `check the endpoint of connection "${connection}" and the network`,
});

const UNTRUSTED: NetworkFailure = {
  code: 'ConnectionFailed',
  problem: 'the server’s certificate is not trusted',
  remedy: ({ connection }) =>
    `set tls.ca of connection "${connection}" to the authority that signed it, and the host of its endpoint to the name it was issued for`,
};

const CUT: NetworkFailure = {
  code: 'ConnectionFailed',
  problem: 'the connection was cut',
  remedy: ({ connection }) =>
    `check the endpoint of connection "${connection}", the network, and tls.certificate if the storage asks for one`,
};

const UNACCEPTED: NetworkFailure = {
  code: 'ConnectionFailed',
  problem: 'the server wants a certificate that it trusts',
  remedy: ({ connection }) => `set tls.certificate and tls.key of connection "${connection}"`,
};

const DENIED: S3Failure = {
  code: 'PermissionDenied',
  problem: 'access is denied',
  remedy: ({ bucket }) =>
    `allow s3:ListBucket and s3:ListBucketMultipartUploads on ${bucket}, and s3:GetObject, s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload on its objects`,
};

/** By Node's error code. */
export const NETWORK_FAILURES: Readonly<Record<string, NetworkFailure>> = {
  ECONNREFUSED: UNREACHABLE('the connection was refused'),
  ECONNRESET: CUT,
  EPIPE: CUT,
  ENOTFOUND: UNREACHABLE('there is no host of that name'),
  EAI_AGAIN: UNREACHABLE('the host’s name could not be looked up'),
  ETIMEDOUT: UNREACHABLE('the server did not answer in time'),
  EHOSTUNREACH: UNREACHABLE('the host cannot be reached'),
  EPROTO: UNREACHABLE('the server does not speak TLS there'),
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  CERT_HAS_EXPIRED: UNTRUSTED,
  CERT_NOT_YET_VALID: UNTRUSTED,
  CERT_SIGNATURE_FAILURE: UNTRUSTED,
  ERR_TLS_CERT_ALTNAME_INVALID: UNTRUSTED,
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: UNACCEPTED,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: UNACCEPTED,
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: UNACCEPTED,
};

const UNUSABLE_KEY: S3Failure = {
  code: 'ConfigurationInvalid',
  problem: 'the key of KMS is disabled or does not exist',
  remedy: ({ connection }) => `enable it, or correct the kmsKey of connection "${connection}"`,
};

/** By the error's name: S3's own codes, the SDK's, and Node's. Source: S3 API, "Error responses". */
const S3_FAILURES: Readonly<Record<string, S3Failure>> = {
  AccessDenied: DENIED,
  Forbidden: DENIED,
  AllAccessDisabled: DENIED,
  InvalidAccessKeyId: REFUSED_CREDENTIALS('the access key is unknown'),
  SignatureDoesNotMatch: REFUSED_CREDENTIALS('the secret key is wrong'),
  ExpiredToken: REFUSED_CREDENTIALS('the credentials have expired'),
  ExpiredTokenException: REFUSED_CREDENTIALS('the credentials have expired'),
  InvalidToken: REFUSED_CREDENTIALS('the session token is not valid'),
  CredentialsProviderError: REFUSED_CREDENTIALS('no credentials were found'),
  NoSuchBucket: {
    code: 'ConfigurationInvalid',
    problem: 'the bucket does not exist',
    remedy: ({ connection }) => `create it, or correct the bucket of connection "${connection}"`,
  },
  InvalidBucketName: {
    code: 'ConfigurationInvalid',
    problem: 'that is not the name of a bucket',
    remedy: ({ connection }) => `correct the bucket of connection "${connection}"`,
  },
  PermanentRedirect: WRONG_REGION,
  AuthorizationHeaderMalformed: WRONG_REGION,
  IllegalLocationConstraintException: WRONG_REGION,
  RequestTimeTooSkewed: {
    code: 'ConfigurationInvalid',
    problem: 'this machine’s clock is wrong',
    remedy: () => 'set the clock',
  },
  TimeoutError: UNREACHABLE('the server did not answer in time'),
  'KMS.DisabledException': UNUSABLE_KEY,
  'KMS.NotFoundException': UNUSABLE_KEY,
  ...NETWORK_FAILURES,
};

/**
 * An error of the S3 client as Comporta's own. Only its code is told, never its message: S3 repeats
 * the access key and the signed text in some.
 */
export function s3Error(error: unknown, place: S3Place): ComportaError {
  if (error instanceof ComportaError) return error;
  const { name, code, status } = s3Names(error);
  const disk = fileProblem(error, place.action);
  if (disk !== undefined) return disk;
  // The SDK calls a cut connection a TimeoutError; the code tells them apart.
  const found = (code === undefined ? undefined : S3_FAILURES[code]) ?? S3_FAILURES[name];
  const known = found ?? (status === 403 ? DENIED : undefined);
  const where = `cannot ${place.action} in ${place.description}`;
  if (known === undefined) {
    return new ComportaError(
      'DestinationFailed',
      `${where}: ${code ?? name}${status === undefined ? '' : ` (HTTP ${status})`}`,
    );
  }
  return new ComportaError(known.code, `${where}: ${known.problem}`, {
    remedy: known.remedy(place),
  });
}

function s3Names(error: unknown): {
  readonly name: string;
  readonly code: string | undefined;
  readonly status: number | undefined;
} {
  const { name, $metadata } = (error ?? {}) as {
    readonly name?: string;
    readonly $metadata?: { readonly httpStatusCode?: number };
  };
  return { name: name ?? 'Error', code: errnoOf(error), status: $metadata?.httpStatusCode };
}

export function isMissing(error: unknown): boolean {
  return ['NoSuchKey', 'NotFound'].includes(s3Names(error).name);
}

/** A conditional write found another object, or met another write. */
export function isConflict(error: unknown): boolean {
  const { name, status } = s3Names(error);
  return (
    ['PreconditionFailed', 'ConditionalRequestConflict'].includes(name) ||
    status === 412 ||
    status === 409
  );
}

export function isUploadGone(error: unknown): boolean {
  return s3Names(error).name === 'NoSuchUpload';
}
