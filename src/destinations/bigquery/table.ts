import type { TableMetadata } from '@google-cloud/bigquery';
import { ComportaError } from '../../errors';
import type { BigqueryTableSettings } from '../../pipeline/pipeline';
import type { ColumnSpec } from '../../types/logical';
import { bigqueryType, loadedType, type BigqueryType } from './types';

/** The part of a table's description that Comporta decides. */
export type TableShape = Pick<
  TableMetadata,
  'schema' | 'timePartitioning' | 'clustering' | 'description'
>;

/** https://cloud.google.com/bigquery/docs/schemas#column_names: what a load from Parquet takes too. */
const COLUMN_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,299}$/;
const RESERVED = /^(?:_TABLE_|_FILE_|_PARTITION|_ROW_TIMESTAMP|__ROOT__|_COLIDENTIFIER)/i;
const MOST_COLUMNS = 10_000;

/** https://cloud.google.com/bigquery/docs/clustered-tables#limitations */
const CLUSTERS_BY: ReadonlySet<BigqueryType> = new Set<BigqueryType>([
  'BIGNUMERIC',
  'BOOL',
  'DATE',
  'DATETIME',
  'INT64',
  'NUMERIC',
  'STRING',
  'TIMESTAMP',
]);

const LONGEST_COLUMN_DESCRIPTION = 1_024;
const LONGEST_TABLE_DESCRIPTION = 16_384;

/** Throws ConfigurationInvalid for a table that BigQuery cannot have. */
export function assertTable(
  identity: { readonly pipeline: string; readonly table: string },
  columns: readonly ColumnSpec[],
  settings: BigqueryTableSettings = {},
): void {
  const [first] = [
    ...nameProblems(columns),
    ...partitionProblems(columns, settings),
    ...clusterProblems(columns, settings),
  ];
  if (first === undefined) return;
  const [problem, remedy] = first;
  const { pipeline, table } = identity;
  throw new ComportaError('ConfigurationInvalid', problem, { pipeline, table, remedy });
}

type Problem = readonly [problem: string, remedy: string];

function nameProblems(columns: readonly ColumnSpec[]): readonly Problem[] {
  const problems: Problem[] = [];
  if (columns.length > MOST_COLUMNS) {
    problems.push([
      `it has ${columns.length} columns, and a table of BigQuery at most ${MOST_COLUMNS}`,
      'leave some out with columns.exclude',
    ]);
  }
  const known = new Set<string>();
  for (const { name } of columns) {
    if (!COLUMN_NAME.test(name) || RESERVED.test(name)) {
      problems.push([
        `BigQuery takes no column of the name "${name}" from Parquet`,
        'leave it out with columns.exclude, or load a view that gives it a name of letters, digits and underscores',
      ]);
    }
    if (known.has(name.toLowerCase())) {
      problems.push([
        `there are two columns "${name}", as BigQuery takes no account of letter case`,
        'leave one out with columns.exclude',
      ]);
    }
    known.add(name.toLowerCase());
  }
  return problems;
}

function partitionProblems(
  columns: readonly ColumnSpec[],
  { partitionBy }: BigqueryTableSettings,
): readonly Problem[] {
  if (partitionBy === undefined) return [];
  const column = columns.find(({ name }) => name === partitionBy.column);
  if (column === undefined) {
    return [
      [
        `the column ${partitionBy.column} of bigquery.partitionBy is not loaded`,
        'name a loaded column with dates or times',
      ],
    ];
  }
  const type = bigqueryType(column.type);
  if (type !== 'DATE' && type !== 'DATETIME' && type !== 'TIMESTAMP') {
    return [
      [
        `the column ${column.name} of bigquery.partitionBy is of type ${type}`,
        'name a column with dates or times',
      ],
    ];
  }
  if (type !== 'DATE' || partitionBy.granularity !== 'hour') return [];
  return [[`the column ${column.name} has dates and no hours`, 'let the granularity be day']];
}

function clusterProblems(
  columns: readonly ColumnSpec[],
  { clusterBy = [] }: BigqueryTableSettings,
): readonly Problem[] {
  return clusterBy.flatMap((wanted): readonly Problem[] => {
    const column = columns.find(({ name }) => name === wanted);
    if (column === undefined) {
      return [
        [`the column ${wanted} of bigquery.clusterBy is not loaded`, 'name loaded columns only'],
      ];
    }
    const type = bigqueryType(column.type);
    if (CLUSTERS_BY.has(type)) return [];
    return [
      [
        `the column ${wanted} of bigquery.clusterBy is of type ${type}, by which BigQuery cannot sort`,
        'name another column',
      ],
    ];
  });
}

export interface ShapeOptions {
  readonly columns: readonly ColumnSpec[];
  readonly comment: string | undefined;
  readonly settings: BigqueryTableSettings | undefined;
}

/** The table that a load job fills: `staged`, or the one that people read. */
export function tableShape(
  { columns, comment, settings = {} }: ShapeOptions,
  { staged }: { readonly staged: boolean },
): TableShape {
  const { partitionBy, clusterBy } = settings;
  return {
    schema: {
      fields: columns.map(({ name, type, comment: text }) => ({
        name,
        type: staged ? loadedType(type) : bigqueryType(type),
        mode: 'NULLABLE',
        ...(text === undefined ? {} : { description: text.slice(0, LONGEST_COLUMN_DESCRIPTION) }),
      })),
    },
    ...(partitionBy === undefined
      ? {}
      : {
          timePartitioning: {
            type: partitionBy.granularity.toUpperCase(),
            field: partitionBy.column,
          },
        }),
    ...(clusterBy === undefined ? {} : { clustering: { fields: [...clusterBy] } }),
    ...(comment === undefined ? {} : { description: comment.slice(0, LONGEST_TABLE_DESCRIPTION) }),
  };
}

/** Whether two tables have columns of the same names and types, in whichever order. */
export function sameColumns(one: TableMetadata['schema'], other: TableMetadata['schema']): boolean {
  return columnsText(one) === columnsText(other);
}

function columnsText(schema: TableMetadata['schema']): string {
  const { fields = [] } = typeof schema === 'object' && 'fields' in schema ? schema : {};
  return JSON.stringify(fields.map(({ name, type }) => [name, standardType(type)]).sort());
}

/** Answers have the older names of some types. */
function standardType(type: string | undefined): string | undefined {
  const names: Readonly<Record<string, string>> = {
    BOOLEAN: 'BOOL',
    INTEGER: 'INT64',
    FLOAT: 'FLOAT64',
  };
  return type === undefined ? undefined : (names[type] ?? type);
}

/** In words, for a message: `by day of created_at`, `not at all`. */
export function partitioningText({ timePartitioning }: Pick<TableMetadata, 'timePartitioning'>) {
  if (timePartitioning === undefined) return 'not at all';
  const { type = 'DAY', field = 'the time of ingestion' } = timePartitioning;
  return `by ${type.toLowerCase()} of ${field}`;
}

/**
 * The name of an entity's table: what is not a letter, a digit, a hyphen or an underscore becomes an
 * underscore (https://cloud.google.com/bigquery/docs/tables#table_naming).
 */
export function tableName(prefix: string, entity: string): string {
  return `${prefix}${decodeEntity(entity).replace(/[^\p{L}\p{M}\p{N}_-]/gu, '_')}`;
}

function decodeEntity(entity: string): string {
  try {
    return decodeURIComponent(entity);
  } catch {
    // The end of a long name is a hash.
    return entity;
  }
}
