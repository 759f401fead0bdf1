import type { ComportaError } from '../../errors';
import { bigqueryError } from '../../google/bigquery';

const REMEDIES = {
  notFound: 'check project, dataset and location of the history in connections.yaml',
  invalidQuery: 'tables of the history that were changed by hand must get their columns back',
};

/** An error of the BigQuery client as one of the history. One that is Comporta's own passes. */
export function historyErrorOfBigquery(thrown: unknown, place: string): ComportaError {
  return bigqueryError(thrown, {
    subject: `the history in ${place}`,
    otherwise: 'HistoryFailed',
    remedies: REMEDIES,
  });
}
