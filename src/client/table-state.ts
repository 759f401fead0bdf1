import { ComportaError } from '../errors';
import type { TableState } from '../history/history';
import { nearest } from '../pipeline/mistakes';

/**
 * The history's state of the table that a person means: by its id, or by the name alone where only
 * one table has it. Throws TableNotFound, with the id that was probably meant.
 */
export function findTableState(
  pipeline: string,
  states: ReadonlyMap<string, TableState>,
  name: string,
): TableState {
  const exact = states.get(name);
  if (exact !== undefined) return exact;
  const ids = [...states.keys()];
  const ending = ids.filter((id) => id.endsWith(`.${name}`));
  const only = ending.length === 1 ? states.get(ending[0] ?? '') : undefined;
  if (only !== undefined) return only;
  const suggestion = ending.length > 1 ? ending.join('" or "') : nearestId(name, ids);
  throw new ComportaError('TableNotFound', `the history knows no table "${name}"`, {
    pipeline,
    remedy:
      suggestion === undefined
        ? `see what it knows with "npm run history -- ${pipeline}"`
        : `did you mean "${suggestion}"?`,
  });
}

/** By the id or by what stands after its schema, which people leave out. */
function nearestId(name: string, ids: readonly string[]): string | undefined {
  const idOf = new Map([
    ...ids.map((id) => [id.slice(id.indexOf('.') + 1), id] as const),
    ...ids.map((id) => [id, id] as const),
  ]);
  return idOf.get(nearest(name, idOf.keys()) ?? '');
}
