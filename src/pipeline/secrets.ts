import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ComportaError } from '../errors';
import type { SecretReference } from './pipeline';

/**
 * Fetches secrets by reference. The value goes to the driver and nowhere else: it is never logged,
 * put into an error, a heartbeat or a workflow's argument.
 */
export interface SecretStore {
  /**
   * The value as it is now: it is not kept, so that one changed between two loads is used by the
   * second. Throws, naming the reference, never the value: ConfigurationInvalid for one that is
   * absent; and where it lies in a cloud AuthenticationFailed, PermissionDenied, and
   * ConnectionFailed, which alone is worth another attempt.
   */
  read(reference: SecretReference): Promise<string>;
}

/**
 * A secret stays a reference; only a file's path is made absolute, and a secret of Google's without a
 * version is its latest.
 */
export function secretReference(text: string, directory: string): SecretReference {
  const place = text.slice(text.indexOf(':') + 1);
  if (text.startsWith('env:')) return { from: 'env', name: place };
  if (text.startsWith('gsm:')) {
    return {
      from: 'gsm',
      version: place.includes('/versions/') ? place : `${place}/versions/latest`,
    };
  }
  if (text.startsWith('asm:')) {
    const [id = '', ...rest] = place.split('#');
    return rest.length === 0 ? { from: 'asm', id } : { from: 'asm', id, key: rest.join('#') };
  }
  return { from: 'file', path: resolve(directory, place.trim()) };
}

/** How a reference is written. */
export function referenceText(reference: SecretReference): string {
  switch (reference.from) {
    case 'env':
      return `env:${reference.name}`;
    case 'file':
      return `file:${reference.path}`;
    case 'gsm':
      return `gsm:${reference.version}`;
    case 'asm':
      return `asm:${reference.id}${reference.key === undefined ? '' : `#${reference.key}`}`;
  }
}

/** Editors and `echo` put a newline at the end, which is not meant. */
export function withoutNewline(text: string): string {
  return text.replace(/\r?\n$/, '');
}

/** `env:NAME` and `file:PATH`: what this machine itself holds. */
export function localSecretStore(environment: NodeJS.ProcessEnv): SecretStore {
  return {
    read(reference) {
      switch (reference.from) {
        case 'env':
          return readVariable(reference.name, environment);
        case 'file':
          return readSecretFile(reference.path);
        case 'gsm':
        case 'asm':
          return Promise.reject(
            new ComportaError(
              'ConfigurationInvalid',
              `secret ${referenceText(reference)} is not on this machine`,
              { remedy: 'name an environment variable or a file here' },
            ),
          );
      }
    },
  };
}

function readVariable(name: string, environment: NodeJS.ProcessEnv): Promise<string> {
  const value = environment[name];
  if (value !== undefined) return Promise.resolve(value);
  return Promise.reject(
    new ComportaError('ConfigurationInvalid', `secret env:${name} is not set`, {
      remedy: `set the environment variable ${name} for this process`,
    }),
  );
}

async function readSecretFile(path: string): Promise<string> {
  try {
    return withoutNewline(await readFile(path, 'utf8'));
  } catch (error) {
    throw new ComportaError('ConfigurationInvalid', `secret file:${path} cannot be read`, {
      remedy: 'check that the file exists and that this process may read it',
      cause: error,
    });
  }
}
