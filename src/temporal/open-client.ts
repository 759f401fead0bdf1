import { createSecretStore } from '../secrets/secret-stores';
import { connectClient, loadTemporalOptions, type TemporalClient } from './connection';
import { loadEncryption } from './encryption';

/**
 * Connects a client as the environment says: server, namespace, credentials, encryption.
 * @param profile as of `loadTemporalOptions`.
 * @throws as `loadTemporalOptions`, `loadEncryption` and `connectClient`.
 */
export async function openClient(
  environment: NodeJS.ProcessEnv,
  profile?: string,
): Promise<TemporalClient> {
  const options = loadTemporalOptions(environment, profile);
  return connectClient(options, await loadEncryption(environment, createSecretStore(environment)));
}
