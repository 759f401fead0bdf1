import type { Connection } from 'mysql2/promise';
import { BatchBuilder } from '../../../src/columnar/vectors';
import type { TableSettings } from '../../../src/pipeline/pipeline';
import type { MysqlColumn, MysqlDescription } from '../../../src/sources/mysql/catalog';
import { quoteIdentifier, quoteTable } from '../../../src/sources/mysql/identifiers';
import { planColumns } from '../../../src/sources/mysql/plan';
import type { ReadStatistics, TableDescription } from '../../../src/sources/source';
import { createAppender } from './slow-values';
import { rowsOf, secrets } from './support';
import { FULL_LOAD } from '../../support/table-settings';

/**
 * The slow, obvious way to read a table, which the fast one is held against: the text protocol
 * through the driver, one value after the other, each from the text that the server prints.
 */
export async function readSlowly(
  driver: Connection,
  description: TableDescription,
  settings: Partial<TableSettings> = {},
  statistics: ReadStatistics = { rows: 0, invalidValues: 0 },
): Promise<unknown[][]> {
  const { table, columns } = description as MysqlDescription;
  const planned = planColumns(description as MysqlDescription, { ...FULL_LOAD, ...settings });
  const builder = new BatchBuilder(planned.map(({ spec }) => spec));
  const appenders = await Promise.all(
    planned.map((column, index) =>
      createAppender(secrets, table.id, column, builder.columns[index]!, statistics),
    ),
  );
  const selected = planned.map(({ spec, mask, select }) => {
    const column = columns.find(({ name }) => name === spec.name)!;
    const isText = mask !== undefined || select !== quoteIdentifier(spec.name);
    return printed(column, isText);
  });
  await driver.query(`SET SESSION time_zone = '+00:00', sql_mode = ''`);
  const [rows] = await driver.query({
    sql: `SELECT ${selected.join(', ')} FROM ${quoteTable(table)}`,
    rowsAsArray: true,
    typeCast: false,
  });
  for (const row of rows as (Buffer | null)[][]) {
    row.forEach((value, index) => {
      if (value === null) builder.columns[index]!.appendNull();
      else appenders[index]!(value);
    });
    builder.rows++;
  }
  return rowsOf(builder);
}

const BINARY = ['binary', 'varbinary', 'tinyblob', 'blob', 'mediumblob', 'longblob', 'vector'];

/** What the text protocol prints in full: of a float it would show six digits. */
function printed({ name, dataType }: MysqlColumn, isText: boolean): string {
  const quoted = quoteIdentifier(name);
  if (!isText) return dataType === 'float' ? `${quoted} * 1e0` : quoted;
  if (dataType === 'bit') return `${quoted} + 0`;
  if (BINARY.includes(dataType)) return `HEX(${quoted})`;
  return dataType === 'point' ? `ST_AsText(${quoted})` : quoted;
}
