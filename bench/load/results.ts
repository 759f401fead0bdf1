import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/**
 * A report whose sections are measured at different times: each stands between two marks with its
 * name, and measuring it again replaces it and leaves the others.
 */
export function writeSection(file: string, name: string, text: string): void {
  const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
  writeFileSync(file, withSection(before, name, text));
}

/** A section that is new comes where its name sorts, after the head. */
export function withSection(report: string, name: string, text: string): string {
  const sections = sectionsOf(report);
  sections.set(name, text.trim());
  return [...sections]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([title, body]) => `${mark(title)}\n\n${body}\n\n${END}\n`)
    .join('\n');
}

const END = '<!-- end -->';

const mark = (name: string) => `<!-- section ${name} -->`;

function sectionsOf(report: string): Map<string, string> {
  const sections = report.matchAll(/<!-- section (.+?) -->\n([\s\S]*?)<!-- end -->/g);
  return new Map([...sections].map(([, name = '', body = '']) => [name, body.trim()]));
}
