import { othersTable, otherwisePartitioned, ownerLabels } from '../destinations/bigquery/ownership';
import { tableName, tableShape } from '../destinations/bigquery/table';
import { createWarehouse } from '../destinations/bigquery/warehouse';
import { entityName } from '../pipeline/entity';
import type { BigqueryConnection, Pipeline, TableSettings } from '../pipeline/pipeline';
import type { SourceTable } from '../sources/source';

/** The tables that another system filled, where the pipeline's destination will replace them. */
export interface HeldTables {
  /** Its rows; or why the pipeline cannot go on with it. */
  look(
    table: SourceTable,
    settings: Pick<TableSettings, 'bigquery'>,
  ): Promise<{ readonly rows: number } | { readonly unfit: string }>;
  /** Makes it the pipeline's, which changes no table of anybody else's. */
  takeOver(table: SourceTable): Promise<void>;
}

export function heldTables(
  connection: BigqueryConnection,
  { name: pipeline, domain, destination }: Pipeline,
  dialect: 'mysql' | 'postgres',
): HeldTables {
  const warehouse = createWarehouse(connection);
  const lakeTable = (table: SourceTable) => ({
    pipeline,
    domain,
    entity: entityName(table, dialect),
  });
  const nameOf = (table: SourceTable) =>
    tableName(destination.tablePrefix ?? '', lakeTable(table).entity);
  return {
    async look(table, { bigquery: settings }) {
      const present = await warehouse.table(nameOf(table));
      if (present === undefined) return { unfit: 'the destination has no such table' };
      if (present.type !== 'TABLE') {
        return { unfit: `in the destination it is no table (${present.type ?? 'of no type'})` };
      }
      const shape = tableShape({ columns: [], comment: undefined, settings }, { staged: false });
      const refusal =
        othersTable(present, lakeTable(table)) ?? otherwisePartitioned(present, shape);
      if (refusal !== undefined) {
        return { unfit: `its table in the destination ${refusal.problem}: ${refusal.remedy}` };
      }
      return { rows: await warehouse.count(nameOf(table)) };
    },
    async takeOver(table) {
      for (;;) {
        const { etag = '', labels } = (await warehouse.table(nameOf(table))) ?? {};
        const change = { etag, labels: { ...labels, ...ownerLabels(lakeTable(table)) } };
        if (await warehouse.change(nameOf(table), change)) return;
      }
    },
  };
}
