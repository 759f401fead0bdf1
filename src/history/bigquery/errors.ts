import { ComportaError, messageOf, type ErrorCode } from '../../errors';
import { SIGN_IN_PROBLEM } from '../../google/sign-in';

interface Meaning {
  readonly code: ErrorCode;
  readonly remedy?: string;
}

/**
 * By the reason that BigQuery gives (https://cloud.google.com/bigquery/docs/error-messages). What is
 * not here may be over at another attempt: quotas, limits of rate, errors of the service.
 */
const BY_REASON: Readonly<Record<string, Meaning>> = {
  accessDenied: {
    code: 'PermissionDenied',
    remedy: 'give the service account the roles that docs/bigquery.md lists',
  },
  billingNotEnabled: {
    code: 'PermissionDenied',
    remedy: 'enable billing for the project',
  },
  notFound: {
    code: 'ConfigurationInvalid',
    remedy: 'check project, dataset and location of the history in connections.yaml',
  },
  invalid: { code: 'ConfigurationInvalid' },
  invalidQuery: {
    code: 'ConfigurationInvalid',
    remedy: 'tables of the history that were changed by hand must get their columns back',
  },
};

const NO_CREDENTIALS: Meaning = {
  code: 'AuthenticationFailed',
  remedy: 'give the worker a service account, or point GOOGLE_APPLICATION_CREDENTIALS at its key',
};

/** An error of the BigQuery client as one of the history. One that is Comporta's own passes. */
export function historyErrorOfBigquery(thrown: unknown, place: string): ComportaError {
  if (thrown instanceof ComportaError) return thrown;
  const { code, remedy } = meaningOf(thrown);
  const details = remedy === undefined ? { cause: thrown } : { remedy, cause: thrown };
  return new ComportaError(code, `the history in ${place} failed: ${problemOf(thrown)}`, details);
}

function meaningOf(thrown: unknown): Meaning {
  if (statusOf(thrown) === 401 || SIGN_IN_PROBLEM.test(messageOf(thrown))) {
    return NO_CREDENTIALS;
  }
  return BY_REASON[reasonOf(thrown) ?? ''] ?? { code: 'HistoryFailed' };
}

/** Whether BigQuery says that a table, a dataset or a project is not there. */
export function isAbsent(thrown: unknown): boolean {
  return reasonOf(thrown) === 'notFound';
}

function statusOf(thrown: unknown): unknown {
  return (thrown as { readonly code?: unknown } | undefined)?.code;
}

interface Detail {
  readonly reason?: unknown;
  readonly message?: unknown;
}

function firstDetail(thrown: unknown): Detail | undefined {
  const errors = (thrown as { readonly errors?: unknown } | undefined)?.errors;
  return Array.isArray(errors) ? (errors[0] as Detail | undefined) : undefined;
}

function reasonOf(thrown: unknown): string | undefined {
  const reason = firstDetail(thrown)?.reason;
  return typeof reason === 'string' ? reason : undefined;
}

/** The client's own message says everything twice, in several lines. */
function problemOf(thrown: unknown): string {
  const message = firstDetail(thrown)?.message;
  return typeof message === 'string' ? message : messageOf(thrown);
}
