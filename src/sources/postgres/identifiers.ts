/** A name in double quotes, the only form that takes every name. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** `"schema"."name"`. */
export function quoteQualified(thing: { readonly schema: string; readonly name: string }): string {
  return `${quoteIdentifier(thing.schema)}.${quoteIdentifier(thing.name)}`;
}

/** A text literal, right whatever standard_conforming_strings says. */
export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`;
  return text.includes('\\') ? ` E${quoted}` : quoted;
}
