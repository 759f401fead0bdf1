import { isGrpcServiceError, ServiceError } from '@temporalio/client';
import { NamespaceNotFoundError } from '@temporalio/common';
import { ComportaError } from '../errors';

/** Which server was asked; only for messages. */
export interface TemporalServer {
  readonly address: string;
  readonly namespace: string;
}

/** gRPC's status codes (https://grpc.github.io/grpc/core/md_doc_statuscodes.html). */
const STATUS = {
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/**
 * The ComportaError for an error of Temporal's client, or undefined when the error is of another
 * kind: a workflow's own failure, a workflow that already runs, a mistake in the program.
 */
export function temporalError(error: unknown, server: TemporalServer): ComportaError | undefined {
  const where = `Temporal at ${server.address}`;
  if (error instanceof NamespaceNotFoundError) {
    return new ComportaError(
      'ConfigurationInvalid',
      `${where} has no namespace "${server.namespace}"`,
      {
        remedy: `set TEMPORAL_NAMESPACE, or create it: temporal operator namespace create ${server.namespace}`,
        cause: error,
      },
    );
  }
  const call = grpcCall(error);
  if (call === undefined) return undefined;
  const details = call.details === '' ? '' : `: ${call.details}`;
  switch (call.code) {
    case STATUS.unauthenticated:
      return new ComportaError('AuthenticationFailed', `${where} refused the credentials`, {
        remedy:
          'check TEMPORAL_API_KEY, or the client certificate in TEMPORAL_TLS_CLIENT_CERT_PATH',
      });
    case STATUS.permissionDenied:
      return new ComportaError('PermissionDenied', `${where} does not allow this call`, {
        remedy: `give these credentials the right to write in namespace "${server.namespace}"`,
      });
    case STATUS.unavailable:
    case STATUS.deadlineExceeded:
      return new ComportaError('ConnectionFailed', `${where} does not answer${details}`, {
        remedy: REACH_IT,
      });
    case STATUS.resourceExhausted:
      return new ComportaError('ConnectionFailed', `${where} is overloaded${details}`, {
        remedy: 'try again later',
      });
    case STATUS.unimplemented:
      return new ComportaError(
        'ConfigurationInvalid',
        `${where} is too old for this call${details}`,
        {
          remedy: 'update the server to Temporal 1.24 or later',
        },
      );
    case STATUS.invalidArgument:
    case STATUS.notFound:
      return new ComportaError('ConfigurationInvalid', `${where} refused the request${details}`);
    default:
      return new ComportaError(
        'ConnectionFailed',
        `${where} failed with gRPC status ${call.code}${details}`,
        { remedy: 'try again, and look into the log of the server' },
      );
  }
}

/** What to do where no server answers. */
export const REACH_IT =
  'start it (npm run services -- up temporal), or name the right one in TEMPORAL_ADDRESS or a profile';

/**
 * Runs calls on Temporal's client. What the server or the network did wrong comes out as a
 * ComportaError, every other error as it is.
 */
export async function callTemporal<Result>(
  server: TemporalServer,
  calls: () => Promise<Result>,
): Promise<Result> {
  try {
    return await calls();
  } catch (error) {
    throw temporalError(error, server) ?? error;
  }
}

/** The SDK hands out gRPC errors bare or as the cause of its own ServiceError. */
function grpcCall(error: unknown): { code: number; details: string } | undefined {
  if (isGrpcServiceError(error)) return { code: error.code, details: error.details };
  if (error instanceof ServiceError && isGrpcServiceError(error.cause)) {
    return { code: error.cause.code, details: error.cause.details };
  }
  return undefined;
}
