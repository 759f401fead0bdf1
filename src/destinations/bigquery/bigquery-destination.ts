import { randomUUID } from 'node:crypto';
import type { BigqueryConnection } from '../../pipeline/pipeline';
import { failureFinding } from '../../sources/failure-finding';
import type { Finding } from '../../sources/source';
import type { Destination } from '../destination';
import { STAGING } from '../parquet/layout';
import { createParquetDestination } from '../parquet/parquet-destination';
import type { ParquetDestinationOptions } from '../parquet/parquet-staging';
import type { ObjectStore } from '../parquet/storage';
import { createTableFollower } from './follow';
import { createWarehouse, type Warehouse } from './warehouse';

export interface BigqueryDestinationOptions extends ParquetDestinationOptions {
  /** What the names of its tables begin with. Default: nothing. */
  readonly tablePrefix?: string | undefined;
}

/**
 * Tables of BigQuery that are filled from a lake. The lake is a whole one, and the authority on what
 * was published; a table is made equal to it before that.
 */
export function createBigqueryDestination(
  store: ObjectStore,
  connection: BigqueryConnection,
  { tablePrefix = '', ...settings }: BigqueryDestinationOptions,
): Destination {
  const warehouse = createWarehouse(connection);
  const follower = createTableFollower(warehouse, { uri: (path) => store.uri(path), tablePrefix });
  const lake = createParquetDestination(store, settings, follower);
  return {
    ...lake,
    description: `bigquery:${warehouse.description}/${tablePrefix} from ${store.description}`,
    async check() {
      const findings = await lake.check();
      // What BigQuery says of a lake that cannot be reached explains nothing.
      if (findings.some(({ severity }) => severity === 'error')) return findings;
      return [...findings, ...(await checkWarehouse(warehouse, store, connection))];
    },
  };
}

const HOUR_MS = 60 * 60 * 1000;

/** Does, on a table of its own, what a load does: makes it, fills it from the lake and counts. */
async function checkWarehouse(
  warehouse: Warehouse,
  store: ObjectStore,
  { name, location }: BigqueryConnection,
): Promise<readonly Finding[]> {
  const subject = warehouse.description;
  const claim = randomUUID();
  const table = `comporta_check_${claim.replaceAll('-', '_')}`;
  const path = `${STAGING}/_check/${claim}.json`;
  const schema = { fields: [{ name: 'found', type: 'INT64' }] };
  try {
    const dataset = await warehouse.open();
    if (location !== undefined && location.toLowerCase() !== dataset.location.toLowerCase()) {
      return [elsewhere(subject, name, dataset.location, location)];
    }
    await warehouse.create(table, { schema, expirationTime: String(Date.now() + HOUR_MS) });
    await store.put(path, Buffer.from('{"found": 1}\n'));
    const load = {
      sourceUris: [store.uri(path)],
      sourceFormat: 'NEWLINE_DELIMITED_JSON',
      ...{ schema, destinationTable: warehouse.reference(table) },
    };
    const id = `comporta_check_${claim}`;
    await warehouse.run({ id, claim, configuration: { load } }, new AbortController().signal);
    await warehouse.count(table);
    return [];
  } catch (error) {
    const remedy =
      'see that the bucket lies where the dataset does, and that the account has the roles that docs/bigquery.md lists';
    return [failureFinding(subject, error, remedy)];
  } finally {
    await warehouse.drop(table).catch(() => undefined);
    await store.delete([path]).catch(() => undefined);
  }
}

function elsewhere(subject: string, connection: string, is: string, wanted: string): Finding {
  return {
    severity: 'error',
    subject,
    problem: `the dataset lies in ${is}, and connection "${connection}" says ${wanted}`,
    remedy: `write location: ${is}, or name another dataset: one cannot be moved`,
  };
}
