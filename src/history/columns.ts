import { createHash } from 'node:crypto';
import { typeName, type ColumnSpec } from '../types/logical';

/**
 * SHA-256, in hex, over name, type and nullability of the columns in their order. Two loads with
 * the same fingerprint wrote the same schema; `sourceType` and comments do not count.
 */
export function schemaFingerprint(columns: readonly ColumnSpec[]): string {
  const essence = columns.map(({ name, type, nullable }) => [name, typeName(type), nullable]);
  return createHash('sha256').update(JSON.stringify(essence)).digest('hex');
}

/**
 * What became of the columns between two loads, in words for people; empty exactly where the
 * fingerprints agree. A renamed column is dropped and added: nothing in a schema says otherwise.
 *
 * `added a int64`, `dropped b`, `retyped c int32 → int64`, `nullable d`, `required d`,
 * `reordered x, y` (the columns that both have, in their new order).
 */
export function schemaChanges(
  before: readonly ColumnSpec[],
  after: readonly ColumnSpec[],
): string[] {
  const earlier = new Map(before.map((column) => [column.name, column]));
  const later = new Set(after.map((column) => column.name));
  return [
    ...before.filter(({ name }) => !later.has(name)).map(({ name }) => `dropped ${shown(name)}`),
    ...after.flatMap((column) => changesOf(earlier.get(column.name), column)),
    ...orderChange(
      before.filter(({ name }) => later.has(name)),
      after.filter(({ name }) => earlier.has(name)),
    ),
  ];
}

function changesOf(before: ColumnSpec | undefined, after: ColumnSpec): string[] {
  const name = shown(after.name);
  if (before === undefined) return [`added ${name} ${typeName(after.type)}`];
  const changes: string[] = [];
  const [oldType, newType] = [typeName(before.type), typeName(after.type)];
  if (oldType !== newType) changes.push(`retyped ${name} ${oldType} → ${newType}`);
  if (before.nullable !== after.nullable) {
    changes.push(`${after.nullable ? 'nullable' : 'required'} ${name}`);
  }
  return changes;
}

function orderChange(before: readonly ColumnSpec[], after: readonly ColumnSpec[]): string[] {
  if (before.every(({ name }, index) => name === after[index]?.name)) return [];
  return [`reordered ${after.map(({ name }) => shown(name)).join(', ')}`];
}

/** A plain name as it is, any other in quotes, so that it can be told from the words around it. */
function shown(name: string): string {
  return /^[\p{L}\p{N}_$]+$/u.test(name) ? name : JSON.stringify(name);
}
