/**
 * A key under which one table is found again in places that write its name differently:
 * `shop.order items` (binary log), `shop/order@0020items#p#p0` (InnoDB's tables, encoded as a file
 * name), `shop/order items` (MySQL's list of foreign keys). Different tables may share a key, for
 * letters outside ASCII and for names with dots; evidence is then taken of all of them, which can
 * only cause a needless load.
 */
export type TableKey = string;

/**
 * Letters that file names encode by tables of two-character codes
 * (https://dev.mysql.com/doc/refman/8.4/en/identifier-mapping.html). All of them become `?`.
 */
function isSpeciallyEncoded(code: number): boolean {
  return (
    (code >= 0x00c0 && code <= 0x05ff) ||
    (code >= 0x1e00 && code <= 0x1fff) ||
    (code >= 0x2160 && code <= 0x217f) ||
    (code >= 0x24b0 && code <= 0x24ef) ||
    (code >= 0xff20 && code <= 0xff5f)
  );
}

function keyOfCharacter(character: string): string {
  if (character === '/') return '.';
  return isSpeciallyEncoded(character.codePointAt(0) ?? 0) ? '?' : character.toLowerCase();
}

/** The key of a name as people write it: `schema.table`, or with `/` between. */
export function keyOfName(name: string): TableKey {
  return [...name].map(keyOfCharacter).join('');
}

export function keyOfTable(table: { readonly schema: string; readonly name: string }): TableKey {
  return keyOfName(`${table.schema}.${table.name}`);
}

/** `@0020` (a code point in hexadecimal), or `@` and two characters of the special tables. */
const ENCODED = /@(?:([0-9a-f]{4})|..)/gi;

/** The key of a name as InnoDB keeps it, without its partition. */
export function keyOfEncodedName(encoded: string): TableKey {
  // A # of the table's own name would be encoded.
  const table = encoded.replace(/#(p|sp)#.*$/i, '');
  let key = '';
  let end = 0;
  for (const match of table.matchAll(ENCODED)) {
    key += keyOfName(table.slice(end, match.index));
    const hex = match[1];
    key += hex === undefined ? '?' : keyOfCharacter(String.fromCodePoint(parseInt(hex, 16)));
    end = match.index + match[0].length;
  }
  return key + keyOfName(table.slice(end));
}
