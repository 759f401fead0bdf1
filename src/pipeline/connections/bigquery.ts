import type { ConnectionsFile } from '../connections-schema';
import { defined } from '../defined';
import type { Partly } from '../issues';
import type { BigqueryConnection, HistorySettings } from '../pipeline';
import type { Input } from './input';
import type { Place } from './place';

export function bigqueryTables(
  place: Place,
  name: string,
  input: Input<'bigquery'>,
): Partly<BigqueryConnection> {
  const { type, dataset, lake } = input;
  return defined({ type, name, ...service(place, input), dataset, lake });
}

export function bigqueryHistory(
  place: Place,
  input: Partly<Extract<NonNullable<ConnectionsFile['history']>, { type: 'bigquery' }>>,
): Partly<HistorySettings> {
  const { type, dataset, leases } = input;
  return defined({ type, ...service(place, input), dataset, leases });
}

/** Where a dataset is, whatever it is for. */
function service(
  place: Place,
  input: Partly<Pick<Input<'bigquery'>, 'project' | 'location' | 'endpoint'>>,
) {
  return {
    project: place.text('project', input.project),
    location: place.text('location', input.location),
    endpoint: place.endpoint(
      input.endpoint,
      'write scheme, host and port, such as http://127.0.0.1:9050',
    ),
  };
}
