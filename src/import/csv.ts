/**
 * The rows of a CSV (RFC 4180), each by the names in the first line. Fields are divided by whichever
 * of comma, semicolon and tab is first in that line.
 */
export function csvRows(text: string): readonly Readonly<Record<string, string>>[] {
  const divider = /[,;\t]/.exec(text.split('\n', 1)[0] ?? '')?.[0] ?? ',';
  const [names = [], ...lines] = csvLines(text, divider);
  return lines.map((fields) =>
    Object.fromEntries(names.map((name, index) => [name.trim(), fields[index] ?? ''])),
  );
}

/** Lines with nothing in them are left out. */
function csvLines(text: string, divider: string): string[][] {
  const lines: string[][] = [];
  const field = new RegExp(
    `(?:"((?:[^"]|"")*)"|((?!")[^${divider}\\r\\n]*))(${divider}|\\r?\\n|$)`,
    'y',
  );
  let line: string[] = [];
  while (field.lastIndex < text.length) {
    const found = field.exec(text);
    if (found === null) throw new SyntaxError('a quote is in the wrong place');
    const [, quoted, plain = '', end] = found;
    line.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === divider && field.lastIndex < text.length) continue;
    if (end === divider) line.push('');
    lines.push(line);
    line = [];
  }
  return lines.filter((fields) => fields.some((content) => content.trim() !== ''));
}
