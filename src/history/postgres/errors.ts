import { ComportaError, messageOf, type ErrorCode } from '../../errors';
import type { DatabaseConnection } from '../../pipeline/pipeline';
import { toComportaError } from '../../sources/postgres/errors';

/** What another attempt does not heal keeps its code; everything else is a failure of the history. */
const KEPT: ReadonlySet<ErrorCode> = new Set([
  'AuthenticationFailed',
  'PermissionDenied',
  'ConfigurationInvalid',
]);

/** SQLSTATEs that ask for something else here than at a source. */
const REMEDIES: Readonly<Record<string, string>> = {
  '42501': 'give the user the rights that docs/history.md lists',
  '25006': 'connect the history to the primary, not to a standby',
  '53100': "free some of the server's disk space",
};

/**
 * An error of pg as one of the history: the source's own table says what it is, and what concerns
 * one load there (a lost connection, a lock, a refused statement) is HistoryFailed here. An error
 * that is Comporta's own passes.
 */
export function historyErrorOfPostgres(
  thrown: unknown,
  connection: DatabaseConnection,
  phase: 'connect' | 'query',
): ComportaError {
  if (thrown instanceof ComportaError) return thrown;
  const { name, host, port, user, database } = connection;
  const known = toComportaError(thrown, { connection: name, host, port, user, database, phase });
  const code = KEPT.has(known.code) ? known.code : 'HistoryFailed';
  const remedy = REMEDIES[String((thrown as { code?: unknown } | undefined)?.code)];
  return remedy === undefined
    ? new ComportaError(code, `the history failed: ${known.message}`, { cause: thrown })
    : new ComportaError(code, `the history at ${host}:${port} failed: ${messageOf(thrown)}`, {
        remedy,
        cause: thrown,
      });
}
