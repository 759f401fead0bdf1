import type { z } from 'zod';
import type { YamlFile } from './document';
import { formatPath, nearest, type Mistake, type Path } from './mistakes';

type Issue = z.core.$ZodIssue;

/** Every part may be absent: what is left of a file when what is wrong is taken out. */
export type Partly<T> = T extends readonly (infer Item)[]
  ? readonly (Partly<Item> | undefined)[]
  : T extends object
    ? { readonly [Key in keyof T]?: Partly<T[Key]> }
    : T;

function valueAt(value: unknown, path: Path): unknown {
  let here = value;
  for (const part of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, part)) return undefined;
    here = (here as Record<string | number, unknown>)[part];
  }
  return here;
}

const EXPECTED: Readonly<Record<string, string>> = {
  object: 'a mapping (lines of "key: value", indented)',
  record: 'a mapping (lines of "key: value", indented)',
  array: 'a list (lines of "- value", or [a, b])',
  boolean: 'true or false, without quotes',
  number: 'a number, without quotes',
  string: 'text',
};

function found(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value === 'string') return 'text';
  return typeof value === 'boolean' ? 'true or false' : 'a number';
}

function listed(values: readonly unknown[], value: unknown): readonly [string, string] {
  const words = [...new Set(values.map(String))];
  const meant = typeof value === 'string' ? nearest(value, words) : undefined;
  const problem = words.length === 1 ? `must be ${words[0]}` : `must be one of ${words.join(', ')}`;
  return [problem, meant === undefined ? 'write one of these' : `did you mean ${meant}?`];
}

function split(message: string): readonly [string, string] {
  const [problem = '', ...fix] = message.split(' — ');
  return [problem, fix.join(' — ')];
}

function explain(issue: Issue, value: unknown): readonly [problem: string, fix: string] {
  if (issue.code === 'invalid_value') return listed(issue.values, value);
  if (issue.code === 'invalid_union' && issue.errors.length === 0) {
    // No branch was tried: the key that tells them apart holds none of its words.
    return listed((issue as { options?: readonly unknown[] }).options ?? [], value);
  }
  if (issue.message.includes(' — ')) return split(issue.message);
  const expected =
    issue.code === 'invalid_type'
      ? (EXPECTED[issue.expected] ?? issue.expected)
      : 'another kind of value';
  return value === null
    ? ['has no value', `write ${expected}, or remove the key`]
    : [`must be ${expected.replace(/ \(.*| *,.*/, '')}, not ${found(value)}`, `write ${expected}`];
}

function mistakesOf(file: YamlFile, issue: Issue): readonly Mistake[] {
  const path = issue.path as Path;
  if (issue.code === 'unrecognized_keys') {
    const messages = issue.message.split('\n');
    return issue.keys.map((key, index) =>
      file.mistake([...path, key], 'key', ...split(messages[index] ?? '')),
    );
  }
  if (issue.code === 'invalid_key') {
    return issue.issues.map(({ message }) => file.mistake(path, 'key', ...split(message)));
  }
  const value = valueAt(file.value, path);
  if (value !== undefined) return [file.mistake(path, 'value', ...explain(issue, value))];
  const holder = formatPath(path.slice(0, -1));
  const where = holder === '' ? 'at the top level of the file' : `under ${holder}`;
  return [file.mistake(path, 'key', 'is missing', `add \`${path.at(-1) ?? ''}:\` ${where}`)];
}

function without(value: unknown, issues: readonly Issue[]): unknown {
  const copy = structuredClone(value);
  for (const { path, code } of issues) {
    const holder = valueAt(copy, path.slice(0, -1) as Path);
    const key = path.at(-1);
    if (code === 'unrecognized_keys' || code === 'invalid_key' || key === undefined) continue;
    if (typeof holder === 'object' && holder !== null && key in holder) {
      // The key stays, so that what was written wrongly is not reported as absent too.
      (holder as Record<PropertyKey, unknown>)[key] = undefined;
    }
  }
  return copy;
}

/**
 * Holds a file against its schema. What is wrong goes to `mistakes`; the rest is returned, so
 * that rules across keys and files can still be tried on it.
 */
export function conform<Schema extends z.ZodType>(
  file: YamlFile,
  schema: Schema,
  mistakes: Mistake[],
): Partly<z.output<Schema>> {
  const result = schema.safeParse(file.value);
  if (result.success) return result.data as Partly<z.output<Schema>>;
  mistakes.push(...result.error.issues.flatMap((issue) => mistakesOf(file, issue)));
  const rest = without(file.value, result.error.issues);
  const usable = typeof rest === 'object' && rest !== null && !Array.isArray(rest);
  return (usable ? rest : {}) as Partly<z.output<Schema>>;
}
