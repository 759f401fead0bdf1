import type { SourceTable } from '../sources/source';
import { isLiteral, matchesTable } from './pattern';
import type {
  BigqueryTableSettings,
  Pipeline,
  TableOverride,
  TableSettings,
  TableSettingsChange,
} from './pipeline';

/** A source with schemas is PostgreSQL: a MySQL connection names its one database. */
const hasSchemas = (pipeline: Pipeline): boolean => pipeline.source.schemas.length > 0;

const union = (a: readonly string[], b: readonly string[] = []): readonly string[] => [
  ...new Set([...a, ...b]),
];

/**
 * Lays a change over settings: single values and lists replace, except that excluded columns, text
 * columns and masks add up, so that no later line brings back what an earlier one hid, and so do
 * labels.
 */
export function layOver(settings: TableSettings, change: TableSettingsChange): TableSettings {
  return {
    ...settings,
    ...change,
    detection: { ...settings.detection, ...change.detection },
    guard: { ...settings.guard, ...change.guard },
    excludeColumns: union(settings.excludeColumns, change.excludeColumns),
    textColumns: union(settings.textColumns, change.textColumns),
    masks: { ...settings.masks, ...change.masks },
    ...(change.bigquery === undefined
      ? {}
      : { bigquery: layOverTable(settings.bigquery, change.bigquery) }),
    ...(change.requiredColumns === undefined
      ? {}
      : { requiredColumns: union(settings.requiredColumns ?? [], change.requiredColumns) }),
  };
}

function layOverTable(
  table: BigqueryTableSettings | undefined,
  change: BigqueryTableSettings,
): BigqueryTableSettings {
  const labels = { ...table?.labels, ...change.labels };
  return { ...table, ...change, ...(Object.keys(labels).length === 0 ? {} : { labels }) };
}

/** The settings of one table: the pipeline's defaults, then every matching override in order. */
export function settingsFor(pipeline: Pipeline, tableId: string): TableSettings {
  const schemas = hasSchemas(pipeline);
  return pipeline.overrides
    .filter(({ pattern }) => matchesTable(pattern, tableId, schemas))
    .reduce(
      (settings, override) => layOver(settings, withRequiredColumns(override)),
      pipeline.defaults,
    );
}

function withRequiredColumns({ pattern, settings }: TableOverride): TableSettingsChange {
  const masked = Object.keys(settings.masks ?? {});
  if (masked.length === 0 || !isLiteral(pattern)) return settings;
  return { ...settings, requiredColumns: masked };
}

/** The tables that a pipeline loads: matched by an include pattern and by no exclude pattern. */
export function selectTables<Table extends Pick<SourceTable, 'id'>>(
  pipeline: Pipeline,
  tables: readonly Table[],
): readonly Table[] {
  const schemas = hasSchemas(pipeline);
  const { include, exclude } = pipeline.tables;
  const matchedBy = (patterns: readonly string[], { id }: Table): boolean =>
    patterns.some((pattern) => matchesTable(pattern, id, schemas));
  return tables.filter((table) => matchedBy(include, table) && !matchedBy(exclude, table));
}

/** A pattern that means no table: most often a misspelt or dropped one. */
export interface UnmatchedPattern {
  readonly place: 'tables.include' | 'overrides';
  readonly pattern: string;
}

/** Include patterns that match no table of the source, and overrides that match none that is loaded. */
export function unmatchedOverrides(
  pipeline: Pipeline,
  tables: readonly Pick<SourceTable, 'id'>[],
): readonly UnmatchedPattern[] {
  const schemas = hasSchemas(pipeline);
  const selected = selectTables(pipeline, tables);
  const idle = (
    place: UnmatchedPattern['place'],
    patterns: readonly string[],
    candidates: readonly Pick<SourceTable, 'id'>[],
  ): readonly UnmatchedPattern[] =>
    patterns
      .filter((pattern) => !candidates.some(({ id }) => matchesTable(pattern, id, schemas)))
      .map((pattern) => ({ place, pattern }));
  return [
    ...idle('tables.include', pipeline.tables.include, tables),
    ...idle(
      'overrides',
      pipeline.overrides.map(({ pattern }) => pattern),
      selected,
    ),
  ];
}
