import { BigQuery } from '@google-cloud/bigquery';
import { PassThroughClient } from 'google-auth-library';
import { ComportaError, messageOf, type ErrorCode } from '../errors';
import { SIGN_IN_PROBLEM } from './sign-in';

/** A dataset of BigQuery, and by which way it is reached. */
export interface BigqueryPlace {
  readonly project: string;
  readonly dataset: string;
  /** Undefined: where BigQuery makes datasets unless told otherwise, the US. */
  readonly location?: string;
  /** Undefined: Google's own. */
  readonly endpoint?: string;
}

/** After two and after four seconds; then whoever asked tries again. */
const CLIENT_RETRIES = 2;

/** Opens no connection: each request finds its own. */
export function bigqueryClient({ project, location, endpoint }: BigqueryPlace): BigQuery {
  return new BigQuery({
    projectId: project,
    maxRetries: CLIENT_RETRIES,
    ...(location === undefined ? {} : { location }),
    ...(endpoint === undefined ? {} : { apiEndpoint: endpoint }),
    // What is sent in clear text is for an emulator, and carries no token.
    ...(endpoint?.startsWith('http:') === true ? { authClient: new PassThroughClient() } : {}),
  });
}

/** Makes the dataset where it is missing, if the account may. */
export async function makeDataset(client: BigQuery, name: string): Promise<void> {
  const dataset = client.dataset(name);
  const [exists] = await dataset.exists();
  if (exists) return;
  await dataset.create().catch(async (error: unknown) => {
    // Another process may have been first.
    const [made] = await dataset.exists();
    if (!made) throw error;
  });
}

/** What an error means to one use of BigQuery. */
export interface BigqueryUse {
  /** Begins the message: `the history in project.dataset`. */
  readonly subject: string;
  /** Of what may be over at another attempt: quotas, limits of rate, errors of the service. */
  readonly otherwise: ErrorCode;
  /** What to do about it, by the reason that BigQuery gives. */
  readonly remedies: Readonly<Record<string, string>>;
}

/**
 * By the reason that BigQuery gives (https://cloud.google.com/bigquery/docs/error-messages): what
 * another attempt does not mend.
 */
const BY_REASON: Readonly<Record<string, ErrorCode>> = {
  accessDenied: 'PermissionDenied',
  billingNotEnabled: 'PermissionDenied',
  notFound: 'ConfigurationInvalid',
  invalid: 'ConfigurationInvalid',
  invalidQuery: 'ConfigurationInvalid',
};

const REMEDIES: Readonly<Record<string, string>> = {
  accessDenied: 'give the service account the roles that docs/bigquery.md lists',
  billingNotEnabled: 'enable billing for the project',
};

const SIGN_IN =
  'give the worker a service account, or point GOOGLE_APPLICATION_CREDENTIALS at its key';

/** An error of the BigQuery client as Comporta's own. One that is Comporta's own passes. */
export function bigqueryError(thrown: unknown, use: BigqueryUse): ComportaError {
  if (thrown instanceof ComportaError) return thrown;
  const problem = `${use.subject} failed: ${problemOf(thrown)}`;
  if (statusOf(thrown) === 401 || SIGN_IN_PROBLEM.test(messageOf(thrown))) {
    return new ComportaError('AuthenticationFailed', problem, { remedy: SIGN_IN, cause: thrown });
  }
  const reason = reasonOf(thrown) ?? '';
  const remedy = use.remedies[reason] ?? REMEDIES[reason];
  const details = remedy === undefined ? { cause: thrown } : { remedy, cause: thrown };
  return new ComportaError(BY_REASON[reason] ?? use.otherwise, problem, details);
}

/** Whether BigQuery says that a table, a dataset, a job or a project is not there. */
export function isAbsent(thrown: unknown): boolean {
  return reasonOf(thrown) === 'notFound';
}

/** Whether what was to be made is there already. */
export function isDuplicate(thrown: unknown): boolean {
  return statusOf(thrown) === 409;
}

/** Whether a change on condition of an etag found another one. */
export function isOvertaken(thrown: unknown): boolean {
  return statusOf(thrown) === 412;
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
