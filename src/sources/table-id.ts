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
