import { ComportaError } from '../../errors';
import { bigqueryError } from '../../google/bigquery';

const REMEDIES = {
  notFound: 'check project, dataset and location of the connection in connections.yaml',
};

/** What to do about a value that a column of BigQuery cannot hold. */
export const AS_TEXT =
  'load the column as text, with columns.text, or leave it out with columns.exclude';

/** A value in the files that a column of BigQuery cannot hold, as jobs tell of it. */
const UNFAITHFUL = /Error while reading data|PARSE_JSON/i;
/** A file that was to be loaded, taken away by another attempt. */
const FILE_GONE = /Not found: (?:URI|Files?) /i;

/** An error of the BigQuery client as one of a destination. One that is Comporta's own passes. */
export function destinationErrorOfBigquery(thrown: unknown, subject: string): ComportaError {
  const error = bigqueryError(thrown, {
    subject,
    otherwise: 'DestinationFailed',
    remedies: REMEDIES,
  });
  if (error === thrown || error.code !== 'ConfigurationInvalid') return error;
  if (FILE_GONE.test(error.problem)) {
    return new ComportaError('DestinationFailed', error.problem, { cause: thrown });
  }
  if (!UNFAITHFUL.test(error.problem)) return error;
  return new ComportaError('ValueUnfaithful', error.problem, {
    remedy: AS_TEXT,
    cause: thrown,
  });
}
