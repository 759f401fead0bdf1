import { readFile } from 'node:fs/promises';
import { ComportaError } from '../errors';
import type { SecretReference } from './pipeline';

/**
 * Fetches secrets by reference. The value goes to the driver and nowhere else: it is never logged,
 * put into an error, a heartbeat or a workflow's argument.
 */
export interface SecretStore {
  /** Throws ConfigurationInvalid, naming the reference, never the value. */
  read(reference: SecretReference): Promise<string>;
}

/** `env:NAME` and `file:PATH` (one trailing newline is dropped, as editors add it). */
export function localSecretStore(environment: NodeJS.ProcessEnv): SecretStore {
  return {
    async read(reference) {
      if (reference.from === 'env') {
        const value = environment[reference.name];
        if (value === undefined) {
          throw new ComportaError(
            'ConfigurationInvalid',
            `secret env:${reference.name} is not set`,
            {
              remedy: `set the environment variable ${reference.name} for this process`,
            },
          );
        }
        return value;
      }
      try {
        return (await readFile(reference.path, 'utf8')).replace(/\r?\n$/, '');
      } catch (error) {
        throw new ComportaError(
          'ConfigurationInvalid',
          `secret file:${reference.path} cannot be read`,
          {
            remedy: 'check that the file exists and that this process may read it',
            cause: error,
          },
        );
      }
    },
  };
}
