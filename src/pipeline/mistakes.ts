import { ComportaError } from '../errors';
import type { Project } from './pipeline';

/** One thing wrong with the pipeline files, and where. Never holds a value that could be secret. */
export interface Mistake {
  readonly file: string;
  /** From 1; 0 when the file as a whole, or the folder, is meant. */
  readonly line: number;
  readonly column: number;
  /** The key in the file: `overrides.orders.cursor`, `tables.include[0]`; empty for the top. */
  readonly path: string;
  readonly problem: string;
  /** What to write instead, imperative. */
  readonly fix: string;
}

export type Path = readonly (string | number)[];

/** `overrides["tmp_*"].key[0]`. */
export function formatPath(path: Path): string {
  return path
    .map((part, index) => {
      if (typeof part === 'number') return `[${part}]`;
      if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(part)) return `[${JSON.stringify(part)}]`;
      return index === 0 ? part : `.${part}`;
    })
    .join('');
}

/** `pipelines/sales.yaml:4:3 defaults.mode: problem — fix`. */
export function formatMistake(mistake: Mistake): string {
  const position = mistake.line === 0 ? '' : `:${mistake.line}:${mistake.column}`;
  const path = mistake.path === '' ? '' : ` ${mistake.path}`;
  return `${mistake.file}${position}${path}: ${mistake.problem} — ${mistake.fix}`;
}

function inReadingOrder(a: Mistake, b: Mistake): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || a.column - b.column;
}

/** Every mistake of every file of a pipelines folder at once, one per line of the message. */
export class ProjectInvalid extends ComportaError {
  /** Ordered by file and place. */
  readonly mistakes: readonly Mistake[];

  /**
   * @param rest the project without the pipeline files that have mistakes; undefined where
   *   nothing is left, or the mistakes concern all pipelines.
   */
  constructor(
    mistakes: readonly Mistake[],
    readonly rest?: Project,
  ) {
    const ordered = [...mistakes].sort(inReadingOrder);
    const count = ordered.length === 1 ? '1 mistake' : `${ordered.length} mistakes`;
    super(
      'ConfigurationInvalid',
      `${count} in the pipeline files:\n${ordered.map(formatMistake).join('\n')}`,
    );
    this.mistakes = ordered;
  }
}

/** For `catch`: what can run of a project with mistakes. Throws the error again where nothing can. */
export function restOf(error: unknown): Project {
  if (error instanceof ProjectInvalid && error.rest !== undefined) return error.rest;
  throw error;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** The candidate that a mistyped word most resembles, if any is near enough to be meant. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const [a, b] = [word.toLowerCase(), candidate.toLowerCase()];
    // An abbreviation is further away in letters than it is in meaning.
    const distance = a.length >= 3 && b.startsWith(a) ? 1 : editDistance(a, b);
    if (distance < bestDistance && distance < candidate.length) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}
