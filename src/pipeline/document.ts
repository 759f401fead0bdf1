import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Alias,
  type Document,
  type Pair,
  type YAMLMap,
  type YAMLParseError,
} from 'yaml';
import { formatPath, type Mistake, type Path } from './mistakes';

/** One YAML file: its plain value, and where in the text each part of it stands. */
export interface YamlFile {
  readonly file: string;
  /** Plain objects, arrays and scalars; undefined for a file that could not be read as YAML. */
  readonly value: unknown;
  /** The keys of a mapping in the order of the text (a plain object puts `2024` first). */
  keys(path: Path): readonly string[];
  /** A mistake at a key, or at its value where that has text of its own. */
  mistake(path: Path, part: 'key' | 'value', problem: string, fix: string): Mistake;
}

/**
 * The parser's own messages quote the text, which may be a secret. These do not; most of the
 * syntax errors that people make are one of the first two.
 */
const SYNTAX: Partial<Record<YAMLParseError['code'], readonly [problem: string, fix: string]>> = {
  BAD_ALIAS: ['a plain value cannot begin with * or &', 'put the value in quotes'],
  BAD_SCALAR_START: ['a plain value cannot begin with this character', 'put the value in quotes'],
  BLOCK_AS_IMPLICIT_KEY: [
    'a plain value cannot hold ": ", and a nested mapping cannot begin here',
    'put the value in quotes, or begin the mapping on the next line with deeper indentation',
  ],
  TAB_AS_INDENT: ['a tab is used as indentation', 'indent with spaces'],
  BAD_INDENT: ['the indentation or a closing bracket is wrong', 'align it with its neighbours'],
  MISSING_CHAR: ['a quote, bracket, comma or colon is missing', 'add it'],
  MULTILINE_IMPLICIT_KEY: ['a key must be on one line and end with a colon', 'add the colon'],
  MULTIPLE_DOCS: ['the file holds several documents', 'put each pipeline into a file of its own'],
  TAG_RESOLVE_FAILED: ['YAML tags (!…) mean nothing here', 'remove the tag, or quote the value'],
  BAD_DQ_ESCAPE: [
    'unknown escape in a double-quoted text',
    'double the backslash, or use single quotes',
  ],
};
const OTHER_SYNTAX = [
  'this is not valid YAML',
  'check quotes, colons and indentation here',
] as const;

interface Reading {
  readonly document: Document.Parsed;
  readonly values: Map<unknown, unknown>;
  report(offset: number, path: Path, problem: string, fix: string): void;
}

const offsetOf = (node: unknown): number =>
  (node as { range?: readonly number[] | null } | null)?.range?.[0] ?? 0;

/** As it is written: `2024` and `0x10` are names of tables here, not numbers. */
function keyOf(pair: Pair): string {
  if (!isScalar(pair.key)) return '';
  return typeof pair.key.value === 'string' ? pair.key.value : (pair.key.source ?? '');
}

function readAlias(reading: Reading, alias: Alias, path: Path, open: readonly unknown[]): unknown {
  const target = alias.resolve(reading.document);
  if (target === undefined) {
    reading.report(
      offsetOf(alias),
      path,
      'a value that begins with * refers to an anchor (&), and there is none of that name',
      'put the value in quotes',
    );
    return undefined;
  }
  if (open.includes(target)) {
    reading.report(
      offsetOf(alias),
      path,
      'this alias lies inside its own anchor',
      'write the value out',
    );
    return undefined;
  }
  return readNode(reading, target, path, open);
}

function readMap(reading: Reading, map: YAMLMap, path: Path, open: readonly unknown[]): unknown {
  const entries: [string, unknown][] = [];
  const lines = new Map<string, Pair>();
  for (const pair of map.items) {
    const key = keyOf(pair);
    const offset = offsetOf(pair.key);
    if (!isScalar(pair.key)) {
      reading.report(offset, path, 'a key must be plain text', 'write it as one word or in quotes');
    } else if (key === '__proto__') {
      reading.report(offset, [...path, key], 'this name cannot be used as a key', 'remove it');
    } else if (lines.has(key)) {
      reading.report(
        offset,
        [...path, key],
        'the key is written twice',
        'remove or join one of them',
      );
    } else {
      entries.push([key, readNode(reading, pair.value, [...path, key], open)]);
    }
    lines.set(key, pair);
  }
  return Object.fromEntries(entries);
}

/** An anchored node is read once, however often it is used, so that nested aliases cannot blow up. */
function readNode(reading: Reading, node: unknown, path: Path, open: readonly unknown[]): unknown {
  if (isAlias(node)) return readAlias(reading, node, path, open);
  if (isScalar(node)) return node.value;
  if (reading.values.has(node)) return reading.values.get(node);
  const inside = [...open, node];
  const value = isMap(node)
    ? readMap(reading, node, path, inside)
    : isSeq(node)
      ? node.items.map((item, index) => readNode(reading, item, [...path, index], inside))
      : null;
  reading.values.set(node, value);
  return value;
}

function resolved(document: Document.Parsed, node: unknown): unknown {
  return isAlias(node) ? node.resolve(document) : node;
}

/** The pair or node at a path; undefined where the text has none. */
function find(
  document: Document.Parsed,
  path: Path,
): { key?: unknown; value: unknown } | undefined {
  let here: { key?: unknown; value: unknown } = { value: document.contents };
  for (const part of path) {
    const node = resolved(document, here.value);
    if (isMap(node)) {
      const pair: Pair | undefined = node.items.find((item) => keyOf(item) === String(part));
      if (pair === undefined) return undefined;
      here = { key: pair.key, value: pair.value };
    } else if (isSeq(node) && typeof part === 'number' && part < node.items.length) {
      here = { value: node.items[part] };
    } else {
      return undefined;
    }
  }
  return here;
}

function hasText(node: unknown): boolean {
  return (
    node !== null &&
    node !== undefined &&
    !(isScalar(node) && node.source === '' && !node.type?.startsWith('QUOTE'))
  );
}

/** The offset of the nearest thing that is there: the value, its key, or what should hold it. */
function offsetAt(document: Document.Parsed, path: Path, part: 'key' | 'value'): number {
  for (let length = path.length; length >= 0; length -= 1) {
    const found = find(document, path.slice(0, length));
    if (found === undefined) continue;
    const takeValue = part === 'value' && length === path.length && hasText(found.value);
    const node = takeValue || found.key === undefined ? found.value : found.key;
    return offsetOf(node);
  }
  return 0;
}

/** Reads YAML. Every syntax error, duplicate key and the like goes to `mistakes`. */
export function readYaml(file: string, text: string, mistakes: Mistake[]): YamlFile {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, {
    prettyErrors: false,
    lineCounter,
    uniqueKeys: false,
    logLevel: 'error',
  });
  const at = (offset: number, path: Path, problem: string, fix: string): Mistake => {
    const { line, col } = lineCounter.linePos(offset);
    return {
      file,
      line: Math.max(line, 1),
      column: Math.max(col, 1),
      path: formatPath(path),
      problem,
      fix,
    };
  };
  const syntax = [...document.errors, ...document.warnings];
  const lines = new Set<number>();
  for (const error of syntax) {
    const [problem, fix] = SYNTAX[error.code] ?? OTHER_SYNTAX;
    const mistake = at(error.pos[0], [], problem, fix);
    // What follows on the same line is the parser's confusion, not another mistake.
    if (!lines.has(mistake.line)) mistakes.push(mistake);
    lines.add(mistake.line);
  }
  const reading: Reading = {
    document,
    values: new Map(),
    report: (offset, path, problem, fix) => mistakes.push(at(offset, path, problem, fix)),
  };
  const usable = syntax.length === 0;
  return {
    file,
    value: usable ? readNode(reading, document.contents, [], []) : undefined,
    keys(path) {
      const node = resolved(document, find(document, path)?.value);
      return isMap(node) ? [...new Set(node.items.map(keyOf))] : [];
    },
    mistake: (path, part, problem, fix) => at(offsetAt(document, path, part), path, problem, fix),
  };
}
