import { ComportaError, type ErrorCode } from '../../errors';
import { SIGN_IN_PROBLEM } from '../../google/sign-in';
import { fileProblem, NETWORK_FAILURES, type Failure } from './errors';

export interface GcsPlace {
  readonly action: string;
  /** Name of the connection. */
  readonly connection: string;
  readonly description: string;
}

const failure = (
  code: ErrorCode,
  problem: string,
  remedy: Failure<GcsPlace>['remedy'],
): Failure<GcsPlace> => ({ code, problem, remedy });

const UNAUTHENTICATED = failure(
  'AuthenticationFailed',
  'Google Cloud refuses the credentials, or there are none',
  ({ connection }) =>
    `correct the credentials of connection "${connection}", or give the worker a service account`,
);

const DENIED = failure(
  'PermissionDenied',
  'access is denied',
  () =>
    'grant roles/storage.objectUser on the bucket to the worker’s service account and, with a kmsKey, roles/cloudkms.cryptoKeyEncrypterDecrypter on the key to that of Cloud Storage',
);

const NO_BUCKET = failure(
  'ConfigurationInvalid',
  'the bucket does not exist',
  ({ connection }) => `create it, or correct the bucket of connection "${connection}"`,
);

const TOO_MANY = failure(
  'DestinationFailed',
  'there were too many requests',
  () => 'the load is tried again; if it lasts, load fewer tables at a time',
);

/**
 * By HTTP status. Source: https://cloud.google.com/storage/docs/json_api/v1/status-codes. What is not
 * here, such as 412 where nothing was conditional and 5xx, is worth another attempt.
 */
const BY_STATUS: Readonly<Record<number, Failure<GcsPlace>>> = {
  401: UNAUTHENTICATED,
  403: DENIED,
  429: TOO_MANY,
};

/** Reasons under 403 that time alone will change. */
const OVER_QUOTA = new Set(['rateLimitExceeded', 'userRateLimitExceeded', 'quotaExceeded']);

/**
 * An error of Google's client as Comporta's own. Only what it means is told, never its message, which
 * may repeat accounts and tokens.
 */
export function gcsError(error: unknown, place: GcsPlace): ComportaError {
  if (error instanceof ComportaError) return error;
  const { status, code, reasons } = facts(error);
  const disk = fileProblem(error, place.action);
  if (disk !== undefined) return disk;
  const known = meaningOf(error);
  const where = `cannot ${place.action} in ${place.description}`;
  if (known !== undefined) {
    return new ComportaError(known.code, `${where}: ${known.problem}`, {
      remedy: known.remedy(place),
    });
  }
  const said = status === undefined ? (code ?? 'the client failed') : `HTTP ${status}`;
  const reason = reasons[0] === undefined ? '' : ` (${reasons[0]})`;
  return new ComportaError('DestinationFailed', `${where}: ${said}${reason}`);
}

function meaningOf(error: unknown): Failure<GcsPlace> | undefined {
  const { status, code, reasons, message, timedOut } = facts(error);
  if (timedOut) return NETWORK_FAILURES['ETIMEDOUT'];
  if (status === 403 && reasons.some((reason) => OVER_QUOTA.has(reason))) return TOO_MANY;
  if (status === 404 && isBucketMissing(error)) return NO_BUCKET;
  // The library that finds and renews credentials has no status of its own for these.
  if (SIGN_IN_PROBLEM.test(message)) return UNAUTHENTICATED;
  if (status !== undefined) return BY_STATUS[status];
  return code === undefined ? undefined : NETWORK_FAILURES[code];
}

interface Facts {
  readonly status: number | undefined;
  readonly code: string | undefined;
  readonly reasons: readonly string[];
  readonly message: string;
  readonly timedOut: boolean;
}

/** The client has errors of three libraries: its own, node-fetch's and gaxios's. */
function facts(error: unknown): Facts {
  const { code, status, errors, message, type } = (error ?? {}) as {
    readonly code?: unknown;
    readonly status?: unknown;
    readonly errors?: unknown;
    readonly message?: unknown;
    readonly type?: unknown;
  };
  const numbers = [status, code].map(Number).filter((value) => value >= 100 && value < 600);
  const listed = (Array.isArray(errors) ? errors : []) as readonly { readonly reason?: unknown }[];
  const reasons = listed.map(({ reason }) => reason);
  return {
    status: numbers[0],
    code: typeof code === 'string' && Number.isNaN(Number(code)) ? code : undefined,
    reasons: reasons.filter((reason): reason is string => typeof reason === 'string'),
    message: typeof message === 'string' ? message : '',
    timedOut: type === 'request-timeout',
  };
}

/** An object is not there; its bucket is. */
export function isGcsMissing(error: unknown): boolean {
  return facts(error).status === 404 && !isBucketMissing(error);
}

function isBucketMissing(error: unknown): boolean {
  return /bucket does not exist/i.test(facts(error).message);
}

/** A conditional write found another object. */
export function isGcsConflict(error: unknown): boolean {
  return facts(error).status === 412;
}
