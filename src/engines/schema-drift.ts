import { isDeepStrictEqual } from 'node:util';
import { assertTable } from '../destinations/bigquery/table';
import type { RunIdentity } from '../destinations/destination';
import { ComportaError } from '../errors';
import { schemaChanges } from '../history/columns';
import type { TableSettings } from '../pipeline/pipeline';
import type { ColumnSpec } from '../types/logical';
import type { MoveRequest } from './engine';

/** Throws SchemaChanged when a table's columns are others than before and its settings say fail. */
export function assertSchemaAccepted(
  { pipeline, table }: RunIdentity,
  { onSchemaChange }: TableSettings,
  before: readonly ColumnSpec[] | undefined,
  now: readonly ColumnSpec[],
): void {
  if (before === undefined || onSchemaChange === 'accept') return;
  const changes = schemaChanges(before, now);
  if (changes.length === 0) return;
  throw new ComportaError('SchemaChanged', `the columns changed: ${changes.join(', ')}`, {
    pipeline,
    table,
    remedy: `run "npm run reset -- ${pipeline} ${table}" to accept them, or set onSchemaChange: accept`,
  });
}

/** Throws ConfigurationInvalid for a table that cannot be what its settings say at its destination. */
export function assertDestinationTakes(
  { identity, settings, destination }: Pick<MoveRequest, 'identity' | 'settings' | 'destination'>,
  columns: readonly ColumnSpec[],
): void {
  if (destination.bigquery !== undefined) assertTable(identity, columns, settings.bigquery);
}

/** Throws SourceInterrupted when the columns are no longer those that a load began with. */
export function assertSameColumns(
  { pipeline, table }: RunIdentity,
  before: readonly ColumnSpec[],
  now: readonly ColumnSpec[],
): void {
  if (areSameColumns(before, now)) return;
  throw new ComportaError('SourceInterrupted', 'its columns changed while it was loaded', {
    pipeline,
    table,
    remedy: 'the load begins again',
  });
}

export function areSameColumns(before: readonly ColumnSpec[], now: readonly ColumnSpec[]): boolean {
  return isDeepStrictEqual(before, now);
}
