import { ComportaError, messageOf, type ErrorCode } from '../../errors';
import { SIGN_IN_PROBLEM } from '../../google/sign-in';
import { PassingTrouble, type Trouble } from '../jobs/platform';

export interface DataprocPlace {
  /** What was being done, for the message: `submit job orders-01`. */
  readonly action: string;
  /** Name of the connection. */
  readonly connection: string;
}

interface Meaning {
  readonly code: ErrorCode;
  /** The call is worth repeating: what it waits for meanwhile. */
  readonly passing?: Trouble;
  readonly remedy: (place: DataprocPlace) => string;
}

const UNAVAILABLE: Meaning = {
  code: 'ConnectionFailed',
  passing: 'unavailable',
  remedy: () => 'check the network and the state of Google Cloud; the load is tried again',
};

const QUOTA: Meaning = {
  code: 'EngineFailed',
  passing: 'quota',
  remedy: () => 'ask for more quota, or run fewer jobs at once (concurrency of the pipeline)',
};

const STOCKOUT: Meaning = {
  code: 'EngineFailed',
  passing: 'unavailable',
  remedy: () => 'try another zone or machine type, or later; the load is tried again',
};

const SIGN_IN: Meaning = {
  code: 'AuthenticationFailed',
  remedy: () =>
    'give the worker credentials of a service account (GOOGLE_APPLICATION_CREDENTIALS, or the machine’s own)',
};

const DENIED: Meaning = {
  code: 'PermissionDenied',
  remedy: () =>
    'grant the worker’s account roles/dataproc.editor on the project and roles/iam.serviceAccountUser on the account that jobs run as',
};

const WRONG: Meaning = {
  code: 'ConfigurationInvalid',
  remedy: ({ connection }) => `correct connection "${connection}"`,
};

const NOT_READY: Meaning = {
  code: 'EngineFailed',
  remedy: () => 'look at the state of the cluster; the load is tried again',
};

/**
 * By the number of the gRPC status. Source: google/rpc/code.proto, and what its comments say about
 * repeating a call.
 */
const MEANINGS: Readonly<Record<number, Meaning>> = {
  1: UNAVAILABLE, // CANCELLED: by the connection's end, this side cancels no call
  2: NOT_READY, // UNKNOWN
  3: WRONG, // INVALID_ARGUMENT
  4: UNAVAILABLE, // DEADLINE_EXCEEDED
  5: WRONG, // NOT_FOUND: the cluster, the project
  7: DENIED, // PERMISSION_DENIED
  8: QUOTA, // RESOURCE_EXHAUSTED
  9: NOT_READY, // FAILED_PRECONDITION: a cluster that starts, stops or is broken
  10: UNAVAILABLE, // ABORTED
  11: WRONG, // OUT_OF_RANGE
  12: WRONG, // UNIMPLEMENTED
  13: UNAVAILABLE, // INTERNAL
  14: UNAVAILABLE, // UNAVAILABLE
  15: NOT_READY, // DATA_LOSS
  16: SIGN_IN, // UNAUTHENTICATED
};

/**
 * What the text says where the status says too little: Dataproc passes on what Compute Engine, IAM
 * and the driver said, under one status or another. Source: Dataproc, "Troubleshoot cluster
 * creation issues" and "Troubleshoot batches and sessions"; Compute Engine, "Resource
 * availability"; IAM and Service Usage for their errors.
 */
const TEXTS: readonly (readonly [RegExp, Meaning])[] = [
  [/Insufficient '\w+' quota|exceeds? (your|the) (available )?quota|QUOTA_EXCEEDED/i, QUOTA],
  [/does not have enough resources available|ZONE_RESOURCE_POOL_EXHAUSTED|stockout/i, STOCKOUT],
  [
    /has not been used in project|SERVICE_DISABLED/,
    {
      code: 'ConfigurationInvalid',
      remedy: () => 'enable the Dataproc API (dataproc.googleapis.com) in the project',
    },
  ],
  [
    /does not support Private Google Access/,
    {
      code: 'ConfigurationInvalid',
      remedy: () => 'turn Private Google Access on for the subnetwork',
    },
  ],
  [SIGN_IN_PROBLEM, SIGN_IN],
];

interface GrpcError {
  readonly code?: unknown;
  readonly details?: unknown;
}

/** An error of a call of the Dataproc client as one of a JobPlatform. */
export function dataprocError(
  error: unknown,
  place: DataprocPlace,
): ComportaError | PassingTrouble {
  if (error instanceof ComportaError || error instanceof PassingTrouble) return error;
  const { code, details } = (error ?? {}) as GrpcError;
  const text = typeof details === 'string' && details !== '' ? details : messageOf(error);
  const byCode = typeof code === 'number' ? MEANINGS[code] : undefined;
  const meaning = byText(text) ?? byCode ?? NOT_READY;
  const failure = new ComportaError(meaning.code, `cannot ${place.action}: ${text}`, {
    remedy: meaning.remedy(place),
    cause: error,
  });
  return meaning.passing === undefined ? failure : new PassingTrouble(meaning.passing, failure);
}

const RUN_AGAIN = 'look at the driver’s output; the load is tried again';

/** How a job ended that did not succeed: its state, and what the service says of it. */
export function dataprocJobFailure(
  what: string,
  state: string,
  detail: string | undefined,
  place: Pick<DataprocPlace, 'connection'>,
): ComportaError {
  const meaning = detail === undefined ? undefined : byText(detail);
  const said = detail === undefined ? '' : `: ${detail}`;
  return new ComportaError(meaning?.code ?? 'EngineFailed', `${what} ended as ${state}${said}`, {
    remedy: meaning?.remedy({ ...place, action: 'run a job' }) ?? RUN_AGAIN,
  });
}

/** gRPC's NOT_FOUND: of a job that is looked for, the answer. */
export function isNotFound(error: unknown): boolean {
  return (error as GrpcError | undefined)?.code === 5;
}

export function isInvalidArgument(error: unknown): boolean {
  return (error as GrpcError | undefined)?.code === 3;
}

export function isAlreadyThere(error: unknown): boolean {
  return (error as GrpcError | undefined)?.code === 6;
}

function byText(text: string): Meaning | undefined {
  return TEXTS.find(([pattern]) => pattern.test(text))?.[1];
}
