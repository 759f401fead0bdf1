const MOST_CHARACTERS = 2_000;

/** The last whole lines of a text, 2,000 characters at most; undefined when nothing is in them. */
export function tailOf(text: string): string | undefined {
  const trimmed = text.trim();
  if (trimmed.length <= MOST_CHARACTERS) return trimmed === '' ? undefined : trimmed;
  const end = trimmed.slice(-MOST_CHARACTERS);
  const cut = trimmed.at(-MOST_CHARACTERS - 1);
  const firstLine = end.indexOf('\n');
  return cut === '\n' || firstLine === -1 ? end : end.slice(firstLine + 1);
}
