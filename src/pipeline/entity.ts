import { createHash } from 'node:crypto';
import { parseTableId } from '../sources/table-id';

/** Common file systems take 255 bytes per name; staging names need some room besides. */
const LONGEST = 200;
const HASH_LENGTH = 32;

/** Every byte outside [A-Za-z0-9_-] as %XX, and a leading `_`, which Hive-style readers hide. */
function encodePart(part: string): string {
  let encoded = '';
  for (const byte of Buffer.from(part, 'utf8')) {
    const character = String.fromCharCode(byte);
    const safe = encoded === '' ? /[A-Za-z0-9-]/ : /[A-Za-z0-9_-]/;
    encoded += safe.test(character)
      ? character
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}

/**
 * A name of 64 Japanese characters takes 576 here. What is too long keeps its beginning and ends
 * with `%h` and a hash of the whole; no escape begins so, so it cannot meet another table's name.
 */
function bounded(encoded: string): string {
  if (encoded.length <= LONGEST) return encoded;
  const hash = createHash('sha256').update(encoded).digest('hex').slice(0, HASH_LENGTH);
  const kept = encoded.slice(0, LONGEST - HASH_LENGTH - 2).replace(/%[0-9A-F]?$/, '');
  return `${kept}%h${hash}`;
}

/**
 * The folder of a table in the lake: different for different tables (letter case counts), at most
 * 200 characters of [A-Za-z0-9_%.-], never hidden. PostgreSQL tables outside the schema public
 * are `<schema>.<name>`.
 */
export function entityName(
  table: { readonly schema: string; readonly name: string },
  dialect: 'mysql' | 'postgres',
): string {
  const name = encodePart(table.name);
  if (dialect === 'mysql' || table.schema === 'public') return bounded(name);
  return bounded(`${encodePart(table.schema)}.${name}`);
}

/** The same folder, by the table's id. */
export function entityOf(id: string, dialect: 'mysql' | 'postgres'): string {
  return entityName(parseTableId(id, dialect), dialect);
}
