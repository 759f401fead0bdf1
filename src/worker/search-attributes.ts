import type { Connection } from '@temporalio/client';
import { ComportaError, messageOf } from '../errors';
import { SEARCH_ATTRIBUTES } from '../workflows/api';

const KEYWORD = 2; // temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD

/** The part of a connection (a client's or a worker's) that this needs. */
export type OperatorConnection = Pick<Connection, 'operatorService'>;

/**
 * Registers the search attributes that are not there yet. Without them every workflow task that
 * sets one would fail for ever, so a worker that cannot have them does not start.
 */
export async function registerSearchAttributes(
  connection: OperatorConnection,
  namespace: string,
): Promise<void> {
  const names = Object.values(SEARCH_ATTRIBUTES);
  try {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({
      namespace,
    });
    const missing = names.filter((name) => customAttributes[name] === undefined);
    if (missing.length === 0) return;
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map((name) => [name, KEYWORD])),
    });
  } catch (error) {
    throw new ComportaError(
      'ConfigurationInvalid',
      `the search attributes ${names.join(', ')} could not be registered in namespace "${namespace}": ${messageOf(error)}`,
      { remedy: 'let an administrator add them, each of type Keyword' },
    );
  }
}
