import { ComportaError, messageOf, type ErrorCode } from '../../errors';
import { PassingTrouble, type Trouble } from '../jobs/platform';

export interface GluePlace {
  /** What was being done, for the message: `start run orders-01 of job ingest`. */
  readonly action: string;
  /** Name of the connection. */
  readonly connection: string;
  /** Name of the Glue job. */
  readonly job: string;
}

interface Meaning {
  readonly code: ErrorCode;
  /** The call is worth repeating: what it waits for meanwhile. */
  readonly passing?: Trouble;
  readonly remedy: (place: GluePlace) => string;
}

const UNAVAILABLE: Meaning = {
  code: 'ConnectionFailed',
  passing: 'unavailable',
  remedy: () => 'check the network and the state of AWS; the load is tried again',
};

const THROTTLED: Meaning = {
  code: 'EngineFailed',
  passing: 'quota',
  remedy: () => 'run fewer jobs at once (concurrency of the pipeline), or ask for a higher quota',
};

const SIGN_IN: Meaning = {
  code: 'AuthenticationFailed',
  remedy: ({ connection }) => `correct the credentials of connection "${connection}"`,
};

const DENIED: Meaning = {
  code: 'PermissionDenied',
  remedy: ({ job }) =>
    `allow glue:StartJobRun, glue:GetJobRun, glue:GetJobRuns and glue:BatchStopJobRun on job ${job}, logs:GetLogEvents on /aws-glue/jobs/error and /aws-glue/jobs/output, glue:GetJob for the check, and iam:PassRole if the job's role is passed`,
};

const WRONG: Meaning = {
  code: 'ConfigurationInvalid',
  remedy: ({ connection }) => `correct connection "${connection}"`,
};

const BROKEN: Meaning = {
  code: 'EngineFailed',
  remedy: () => 'look at the runs of the job; the load is tried again',
};

/**
 * By the error's name or code. Source: AWS Glue Developer Guide, "Exceptions"; Glue API, "Common
 * Errors"; the SDK's and Node's own for what happens before an answer.
 */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  ConcurrentRunsExceededException: {
    code: 'EngineFailed',
    passing: 'waiting',
    remedy: ({ job }) => `raise the maximum concurrency of job ${job}, which begins at 1`,
  },
  ResourceNumberLimitExceededException: THROTTLED,
  ThrottlingException: THROTTLED,
  Throttling: THROTTLED,
  TooManyRequestsException: THROTTLED,
  RequestLimitExceeded: THROTTLED,
  InternalServiceException: UNAVAILABLE,
  InternalFailure: UNAVAILABLE,
  OperationTimeoutException: UNAVAILABLE,
  ServiceUnavailable: UNAVAILABLE,
  ServiceUnavailableException: UNAVAILABLE,
  TimeoutError: UNAVAILABLE,
  ECONNREFUSED: UNAVAILABLE,
  ECONNRESET: UNAVAILABLE,
  EPIPE: UNAVAILABLE,
  ETIMEDOUT: UNAVAILABLE,
  ENOTFOUND: UNAVAILABLE,
  EAI_AGAIN: UNAVAILABLE,
  EHOSTUNREACH: UNAVAILABLE,
  EntityNotFoundException: {
    code: 'ConfigurationInvalid',
    remedy: ({ connection, job }) =>
      `create job ${job}, or correct job and region of connection "${connection}"`,
  },
  InvalidInputException: WRONG,
  ValidationException: WRONG,
  AccessDeniedException: DENIED,
  AccessDenied: DENIED,
  UnrecognizedClientException: SIGN_IN,
  InvalidClientTokenId: SIGN_IN,
  IncompleteSignature: SIGN_IN,
  InvalidSignatureException: SIGN_IN,
  ExpiredTokenException: SIGN_IN,
  MissingAuthenticationToken: SIGN_IN,
  OptInRequired: SIGN_IN,
  CredentialsProviderError: SIGN_IN,
  RequestExpired: {
    code: 'ConfigurationInvalid',
    remedy: () => 'set the clock of the machine',
  },
};

interface SdkError {
  readonly name?: string;
  readonly code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** An error of a call of the Glue client as one of a JobPlatform. */
export function glueError(error: unknown, place: GluePlace): ComportaError | PassingTrouble {
  if (error instanceof ComportaError || error instanceof PassingTrouble) return error;
  const { name = 'Error', code, $metadata } = (error ?? {}) as SdkError;
  // Of a cut connection the name says too little.
  const known = (typeof code === 'string' ? MEANINGS[code] : undefined) ?? MEANINGS[name];
  const meaning = known ?? (($metadata?.httpStatusCode ?? 0) >= 500 ? UNAVAILABLE : BROKEN);
  // What AWS says of a signature repeats the signed text.
  const said = meaning === SIGN_IN ? name : `${name}: ${messageOf(error)}`;
  return errorOf(meaning, `cannot ${place.action}: ${said}`, place, error);
}

/** One of the errors that BatchStopJobRun reports inside a successful answer. */
export function stopError(
  detail: { readonly ErrorCode?: string | undefined; readonly ErrorMessage?: string | undefined },
  place: GluePlace,
): ComportaError | PassingTrouble {
  const { ErrorCode: name = 'Error', ErrorMessage: message = 'no reason given' } = detail;
  return errorOf(MEANINGS[name] ?? BROKEN, `cannot ${place.action}: ${name}: ${message}`, place);
}

function errorOf(meaning: Meaning, problem: string, place: GluePlace, cause?: unknown) {
  const failure = new ComportaError(meaning.code, problem, {
    remedy: meaning.remedy(place),
    ...(cause === undefined ? {} : { cause }),
  });
  return meaning.passing === undefined ? failure : new PassingTrouble(meaning.passing, failure);
}

interface End {
  readonly means: string;
  readonly remedy: (place: Pick<GluePlace, 'connection' | 'job'>) => string;
}

/** The states of a run that did not succeed. Source: AWS Glue Developer Guide, "Job run statuses". */
const ENDS: Readonly<Record<string, End>> = {
  FAILED: { means: 'failed', remedy: () => 'look at its output; the load is tried again' },
  STOPPED: { means: 'was stopped by somebody', remedy: () => 'the load is tried again' },
  TIMEOUT: {
    means: 'took longer than it may',
    remedy: ({ connection }) => `raise the timeout of connection "${connection}", or its workers`,
  },
  ERROR: {
    means: 'could not be run',
    remedy: ({ job }) => `see that job ${job} is still there; the load is tried again`,
  },
  EXPIRED: {
    means: 'waited too long for its machines',
    remedy: () => 'ask for fewer workers, or another worker type; the load is tried again',
  },
};

/** How a run ended that did not succeed. */
export function glueRunFailure(
  id: string,
  state: string,
  detail: string | undefined,
  place: Pick<GluePlace, 'connection' | 'job'>,
): ComportaError {
  const end = ENDS[state];
  const what = `run ${id} of Glue job ${place.job} ${end?.means ?? 'ended'} (${state})`;
  const denied = /AccessDenied|is not authorized to perform/.test(detail ?? '');
  return new ComportaError(
    denied ? 'PermissionDenied' : 'EngineFailed',
    detail === undefined ? what : `${what}: ${detail}`,
    {
      remedy: denied
        ? `give the role of job ${place.job} what the message names`
        : (end?.remedy(place) ?? 'the load is tried again'),
    },
  );
}
