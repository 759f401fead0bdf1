/** A name in backticks, the only form that takes every name. */
export function quoteIdentifier(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** `` `schema`.`table` ``. */
export function quoteTable(table: { readonly schema: string; readonly name: string }): string {
  return `${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)}`;
}

/**
 * A text literal. Right only while the session's sql_mode lacks NO_BACKSLASH_ESCAPES, as every
 * session made by `connection.ts` does.
 */
export function quoteLiteral(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''").replaceAll('\0', '\\0')}'`;
}

/** `'a', 'b'`, for IN (…). */
export function quoteList(texts: readonly string[]): string {
  return texts.map(quoteLiteral).join(', ');
}
