/**
 * Patterns over table ids: `*` is any run of characters (dots included), `?` any one character,
 * and a backslash makes the next character mean itself. Case-sensitive. A glob library is no help
 * here: to one, the slashes, brackets, braces and quotes that ids may hold are syntax.
 */

const ANY_RUN = Symbol('*');
const ANY_ONE = Symbol('?');
type Token = string | typeof ANY_RUN | typeof ANY_ONE;

function tokens(pattern: string): readonly Token[] {
  const result: Token[] = [];
  let escaped = false;
  for (const character of pattern) {
    if (escaped) {
      result.push(character);
      escaped = false;
    } else if (character === '\\') {
      escaped = true;
    } else {
      result.push(character === '*' ? ANY_RUN : character === '?' ? ANY_ONE : character);
    }
  }
  return result;
}

/**
 * Matches a pattern against the tokens of a text or of another pattern. On a mismatch only the
 * last `*` is tried again with one token more, so the work is at most pattern × subject.
 */
function accepts(pattern: readonly Token[], subject: readonly Token[]): boolean {
  let at = 0;
  let star = -1;
  let resume = 0;
  for (let index = 0; index < subject.length;) {
    const wanted = pattern[at];
    const found = subject[index];
    if (wanted === ANY_RUN) {
      star = at;
      resume = index;
      at += 1;
    } else if (wanted === found || (wanted === ANY_ONE && found !== ANY_RUN)) {
      at += 1;
      index += 1;
    } else if (star >= 0) {
      resume += 1;
      index = resume;
      at = star + 1;
    } else {
      return false;
    }
  }
  return pattern.slice(at).every((token) => token === ANY_RUN);
}

/** Whether a pattern means one name: no character in it stands for others. */
export function isLiteral(pattern: string): boolean {
  return tokens(pattern).every((token) => typeof token === 'string');
}

/** Whether the whole of `text` has the form that `pattern` gives. */
export function matchesPattern(pattern: string, text: string): boolean {
  return /[*?\\]/.test(pattern) ? accepts(tokens(pattern), [...text]) : pattern === text;
}

/**
 * Whether every text that `narrow` matches is surely matched by `wide` too. A true answer can be
 * relied on; a false one may be wrong for odd pairs such as `*?` and `?*`.
 */
export function coversPattern(wide: string, narrow: string): boolean {
  return accepts(tokens(wide), tokens(narrow));
}

/** What is wrong with a pattern, or undefined. */
export function patternProblem(pattern: string): string | undefined {
  if (pattern === '') return 'is an empty pattern, which no table matches';
  return /^(?:[^\\]|\\[^])*$/u.test(pattern) ? undefined : 'ends with a lone backslash';
}

/** A part of an id without the quotes that dots and quotes in it call for. */
function unquoted(part: string): string {
  return part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part;
}

const PUBLIC = 'public.';

/**
 * Whether a pattern means a table: its id, or the name alone without quotes. Under PostgreSQL
 * (`hasSchemas`) ids are `schema.name`, and only a pattern without a dot means a name alone, that
 * of a table in the schema public.
 */
export function matchesTable(pattern: string, tableId: string, hasSchemas: boolean): boolean {
  if (matchesPattern(pattern, tableId)) return true;
  if (!hasSchemas) return matchesPattern(pattern, unquoted(tableId));
  if (pattern.includes('.') || !tableId.startsWith(PUBLIC)) return false;
  return matchesPattern(pattern, unquoted(tableId.slice(PUBLIC.length)));
}
