/** Words that may stand before a parenthesis without reading anything but the row. */
const HARMLESS = new Set(
  (
    'and or not in between like ilike similar is any all some array row case when then else end ' +
    'cast coalesce nullif greatest least extract date_part date_trunc lower upper length ' +
    'char_length octet_length substring substr left right trim btrim ltrim rtrim position ' +
    'starts_with replace concat abs ceil ceiling floor round trunc mod sign isfinite ' +
    'numeric decimal dec float varchar char character varying bpchar bit timestamp time interval'
  ).split(' '),
);

/** Words whose value is that of the moment or of the session, or that read other tables. */
const MOVING = new Set(
  (
    'current_date current_time current_timestamp localtime localtimestamp ' +
    'utc_date utc_time utc_timestamp current_user ' +
    'current_role session_user user current_schema current_catalog select table exists'
  ).split(' '),
);

const TOKEN =
  /--[^\n]*|\/\*[^]*?\*\/|\$(\w*)\$[^]*?\$\1\$|[a-z]?'(?:[^'\\]|\\[^]|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|@+[\w$]+|[a-z_\u0080-\uffff][\w$\u0080-\uffff]*|[^]/giu;

/** Ends a text in one dialect and continues it in the other, or depends on the server's settings. */
const AMBIGUOUS_QUOTE = /\\['"`]/;

/**
 * What is a comment to one server and code to the other: a comment within a comment or one that
 * MySQL executes, two minus signs without a blank, MySQL's `#` (not PostgreSQL's `#>` and `#-`).
 */
function isAmbiguous(token: string, i: number, all: readonly string[]): boolean {
  if (token.startsWith('/*')) return /^\/\*M?!|\/\*[^]*\/\*/.test(token);
  if (token.startsWith('--')) return /^--\S/.test(token);
  return token === '#' && !/^[>-]/.test(all[i + 1] ?? '');
}

/**
 * Whether a condition picks the same rows of the same table at any time, as far as its words tell:
 * no clock, no session, no other table, no function that is not known to be immutable. Errs on
 * the side of no. A filter such as `created_at > now() - interval '7 days'` changes what a load
 * brings while nothing is written, so no log and no counter can vouch for it. One list serves MySQL
 * and PostgreSQL: what only the other knows is an error here.
 */
export function isTimeless(condition: string): boolean {
  const all = [...condition.matchAll(TOKEN)].map(([token]) => token);
  if (AMBIGUOUS_QUOTE.test(condition) || all.some(isAmbiguous)) return false;
  const tokens = all.filter((token) => !/^(\s|--|\/\*)/.test(token));
  return tokens.every((token, i) => {
    if (/^(\$|[a-z]?')/i.test(token)) return !/\b(now|today|tomorrow|yesterday)\b/i.test(token);
    const isCalled = tokens[i + 1] === '(';
    if (/^["`]/.test(token)) return !isCalled;
    // MySQL's variables; in PostgreSQL an operator written without a space, which is rare.
    if (/^@+\w/.test(token)) return false;
    const word = token.toLowerCase();
    if (!/^[a-z_\u0080-\uffff]/u.test(word)) return true;
    return !MOVING.has(word) && (!isCalled || HARMLESS.has(word));
  });
}
