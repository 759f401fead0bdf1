import { ownerLabels } from '../destinations/bigquery/follow';
import { tableName } from '../destinations/bigquery/table';
import { createWarehouse } from '../destinations/bigquery/warehouse';
import { entityName } from '../pipeline/entity';
import type { Pipeline, Project } from '../pipeline/pipeline';
import type { SourceTable } from '../sources/source';

/** The tables that another system filled, where the pipeline's destination will replace them. */
export interface HeldTables {
  /** Undefined for a table that is not there. */
  rows(table: SourceTable): Promise<number | undefined>;
  /** Makes it the pipeline's, which changes no table of anybody else's. */
  takeOver(table: SourceTable): Promise<void>;
}

/** Undefined for a lake, which has files of Comporta's own only. */
export function heldTables(
  { connections }: Project,
  { name: pipeline, domain, destination }: Pipeline,
  dialect: 'mysql' | 'postgres',
): HeldTables | undefined {
  const connection = connections.get(destination.connection);
  if (connection?.type !== 'bigquery') return undefined;
  const warehouse = createWarehouse(connection);
  const nameOf = (table: SourceTable) =>
    tableName(destination.tablePrefix ?? '', entityName(table, dialect));
  return {
    async rows(table) {
      const present = await warehouse.table(nameOf(table));
      return present === undefined ? undefined : warehouse.count(nameOf(table));
    },
    async takeOver(table) {
      const owner = ownerLabels({ pipeline, domain, entity: entityName(table, dialect) });
      for (;;) {
        const { etag = '', labels } = (await warehouse.table(nameOf(table))) ?? {};
        const change = { etag, labels: { ...labels, ...owner } };
        if (await warehouse.change(nameOf(table), change)) return;
      }
    },
  };
}
