import path from 'node:path';
import type { YamlFile } from '../document';
import type { Mistake, Path } from '../mistakes';
import type { SecretReference } from '../pipeline';
import { secretReference } from '../secrets';

/**
 * A section of a file that is being read: makes values of its texts, and collects what is wrong with
 * them. What cannot be made out is undefined, and a mistake.
 */
export interface Place {
  /** The text itself, or that of the variable it names, or what stands behind `:-` without that. */
  text(key: string, input: string | undefined): string | undefined;
  port(key: string, input: number | string | undefined): number | undefined;
  /** A server's URL, without slashes at its end. `fix` says what to write instead of a wrong one. */
  endpoint(input: string | undefined, fix: string): string | undefined;
  secret(reference: string | undefined): SecretReference | undefined;
  /** An absolute path. */
  file(name: string | undefined): string | undefined;
  /** Without the keys that say `env:NAME:-` where that variable is not set. */
  withoutUnset<T extends object>(input: T): T;
  /** At one of the section's keys, or deeper. */
  mistake(key: string | readonly string[], problem: string, fix: string): void;
  /** Of the section as a whole. */
  mistakeOfAll(problem: string, fix: string): void;
  /** Two keys that need each other. */
  inPairs<Key extends string>(
    input: Partial<Record<Key, unknown>>,
    pair: readonly [Key, Key],
  ): void;
  section(key: string): Place;
}

/** What a file's sections have in common while it is read. */
export interface Reading {
  /** Absolute; relative paths in the file start here. */
  readonly directory: string;
  /** Where `env:NAME` in anything but a secret is looked up. */
  readonly environment: NodeJS.ProcessEnv;
  readonly file: YamlFile;
  /** Collects them. */
  readonly mistakes: Mistake[];
}

export function placeAt(reading: Reading, at: Path): Place {
  const { directory, environment, file, mistakes } = reading;
  const valueMistake = (key: string, problem: string, fix: string) =>
    mistakes.push(file.mistake([...at, key], 'value', problem, fix));

  const place: Place = {
    text(key, input) {
      const named = variableOf(input);
      if (named === undefined) return input;
      const { name: variable, otherwise } = named;
      const value = environment[variable];
      if (value !== undefined && value.trim() !== '') return value;
      if (otherwise !== undefined) return otherwise;
      const state = value === undefined ? 'not set' : 'empty';
      const problem = `the environment variable ${variable} is ${state}`;
      valueMistake(key, problem, `set ${variable}, or write the value here`);
      return undefined;
    },
    port(key, input) {
      if (typeof input !== 'string') return input;
      const text = place.text(key, input);
      if (text === undefined) return undefined;
      const port = Number(text);
      if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port;
      const variable = variableOf(input)?.name ?? '';
      const problem = `the environment variable ${variable} does not hold a port`;
      valueMistake(key, problem, 'set it to a number from 1 to 65535');
      return undefined;
    },
    endpoint(input, fix) {
      const text = place.text('endpoint', input);
      const problem = text === undefined ? undefined : endpointProblem(text);
      if (problem !== undefined) place.mistake('endpoint', problem, fix);
      return text?.replace(/\/+$/, '');
    },
    secret: (reference) =>
      reference === undefined ? undefined : secretReference(reference, directory),
    file: (name) => (name === undefined ? undefined : path.resolve(directory, name)),
    withoutUnset<T extends object>(input: T) {
      const isUnset = (value: unknown) => {
        const named = variableOf(value);
        return named?.otherwise === '' && (environment[named.name] ?? '').trim() === '';
      };
      return Object.fromEntries(Object.entries(input).filter(([, value]) => !isUnset(value))) as T;
    },
    mistake(key, problem, fix) {
      mistakes.push(file.mistake([...at, ...[key].flat()], 'key', problem, fix));
    },
    mistakeOfAll(problem, fix) {
      mistakes.push(file.mistake(at, 'value', problem, fix));
    },
    inPairs(input, [one, two]) {
      for (const [key, other] of [
        [one, two],
        [two, one],
      ] as const) {
        if (!(key in input) || other in input) continue;
        place.mistake(key, `is of no use without \`${other}\``, `add \`${other}:\` beside it`);
      }
    },
    section: (key) => placeAt(reading, [...at, key]),
  };
  return place;
}

/** The parts of `env:NAME` and of `env:NAME:-text`; undefined for any other text. */
function variableOf(text: unknown): { name: string; otherwise: string | undefined } | undefined {
  const [, name, otherwise] =
    (typeof text === 'string' && /^env:(\w+)(?::-(.*))?$/.exec(text)) || [];
  return name === undefined ? undefined : { name, otherwise };
}

/** Tells what is wrong with a server's URL. One with a password in it must not be repeated. */
function endpointProblem(text: string): string | undefined {
  if (!URL.canParse(text)) return 'is not a URL';
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'is not an http or https URL';
  if (url.username !== '' || url.password !== '') return 'holds credentials';
  return url.pathname !== '/' || url.search !== '' ? 'has a path' : undefined;
}
