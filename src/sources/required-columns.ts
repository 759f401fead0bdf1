import { ComportaError } from '../errors';

/**
 * Throws ConfigurationInvalid for a table without a column that must be masked: misspelt, or renamed
 * in the source, it would come unmasked under its other name.
 */
export function assertRequiredColumns(
  table: string,
  required: readonly string[],
  isThere: (column: string) => boolean,
): void {
  const missing = required.filter((column) => !isThere(column));
  if (missing.length === 0) return;
  const [names, isOne] = [missing.join(', '), missing.length === 1];
  throw new ComportaError(
    'ConfigurationInvalid',
    `the masked ${isOne ? 'column' : 'columns'} ${names} ${isOne ? 'is' : 'are'} not in the table`,
    {
      table,
      remedy: `see what became of ${isOne ? 'it' : 'them'} in the source, then name the right column under columns.mask or take the mask away`,
    },
  );
}
