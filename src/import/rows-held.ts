import { ComportaError } from '../errors';
import { isAbsent } from '../history/bigquery/errors';
import { entityName } from '../pipeline/entity';
import type { Pipeline, Project } from '../pipeline/pipeline';
import type { SourceTable } from '../sources/source';
import { queryBigquery } from './old-rows';

/**
 * How many rows the pipeline's destination holds of a table that another system loaded into it;
 * undefined for a table that is not there. Undefined itself where none can be: a lake has files of
 * Comporta's own.
 */
export function rowsHeld(
  { connections }: Project,
  { destination }: Pipeline,
  dialect: 'mysql' | 'postgres',
): ((table: SourceTable) => Promise<number | undefined>) | undefined {
  const connection = connections.get(destination.connection);
  if (connection?.type !== 'bigquery') return undefined;
  return async (table) => {
    const name = `${destination.tablePrefix ?? ''}${entityName(table, dialect)}`;
    try {
      const sql = (place: string) => `SELECT COUNT(*) AS rows_held FROM ${place}`;
      const [row] = await queryBigquery(connection, sql, name);
      return Number(row?.['rows_held']);
    } catch (error) {
      if (error instanceof ComportaError && isAbsent(error.cause)) return undefined;
      throw error;
    }
  };
}
