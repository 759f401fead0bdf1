import { ComportaError } from '../errors';

/**
 * A table's id from its parts: joined by a dot, a part that holds a dot or a double quote in
 * double quotes, with inner ones doubled. `orders`, `public.orders`, `public."a.b"`.
 */
export function tableId(schema: string | undefined, name: string): string {
  return (schema === undefined ? [name] : [schema, name]).map(quotedPart).join('.');
}

function quotedPart(part: string): string {
  return /[."]/.test(part) ? `"${part.replaceAll('"', '""')}"` : part;
}

const PART = /"((?:[^"]|"")+)"|([^".]+)/y;

/**
 * The parts of a table's id. MySQL's ids have a name alone, so their schema is empty. Throws
 * ConfigurationInvalid for a text that is no id of the dialect.
 */
export function parseTableId(
  id: string,
  dialect: 'mysql' | 'postgres',
): { readonly schema: string; readonly name: string } {
  const parts = partsOf(id);
  const [first, second] = parts ?? [];
  if (dialect === 'mysql' && parts?.length === 1 && first !== undefined) {
    return { schema: '', name: first };
  }
  if (
    dialect === 'postgres' &&
    parts?.length === 2 &&
    first !== undefined &&
    second !== undefined
  ) {
    return { schema: first, name: second };
  }
  throw new ComportaError('ConfigurationInvalid', `"${id}" is no table of this source`, {
    remedy:
      dialect === 'mysql'
        ? 'write the name of the table, in double quotes if it holds a dot: "a.b"'
        : 'write schema.table, a part that holds a dot in double quotes: public."a.b"',
  });
}

function partsOf(id: string): string[] | undefined {
  const parts: string[] = [];
  for (let at = 0; ; at += 1) {
    PART.lastIndex = at;
    const match = PART.exec(id);
    if (match === null) return undefined;
    parts.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    at = PART.lastIndex;
    if (at === id.length) return parts;
    if (id[at] !== '.') return undefined;
  }
}
