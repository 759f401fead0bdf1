import { ComportaError } from '../../../errors';

/** What the server sent is not what its protocol allows: only another connection can help. */
export function unreadable(problem: string): ComportaError {
  return new ComportaError(
    'SourceInterrupted',
    `the rows that PostgreSQL sent cannot be read: ${problem}`,
  );
}
