import { createRequire } from 'node:module';
import { localSecretStore, type SecretStore } from '../pipeline/secrets';
import type * as Aws from './aws';
import type * as Google from './google';

/** The clients of the clouds take longer to load than a small table: only who uses them has them. */
const load = createRequire(__filename);

/**
 * Reads every kind of reference. `environment` is where `env:` secrets are; the clouds' clients find
 * their own credentials, by the platforms' own chains.
 */
export function createSecretStore(environment: NodeJS.ProcessEnv): SecretStore {
  const local = localSecretStore(environment);
  let google: Google.ReadVersion | undefined;
  let aws: Aws.ReadSecret | undefined;
  return {
    read(reference) {
      switch (reference.from) {
        case 'gsm':
          google ??= (load('./google') as typeof Google).googleSecrets(
            environment['COMPORTA_SECRET_MANAGER_ENDPOINT'],
          );
          return google(reference);
        case 'asm':
          aws ??= (load('./aws') as typeof Aws).awsSecrets();
          return aws(reference);
        case 'env':
        case 'file':
          return local.read(reference);
      }
    },
  };
}
