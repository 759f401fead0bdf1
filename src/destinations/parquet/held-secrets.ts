import { ComportaError } from '../../errors';

/** Credentials that are read once and used until they are refused. */
export interface HeldSecrets<Value> {
  get(): Promise<Value>;
  /**
   * Runs requests. When their credentials are refused and others have been put in their place since,
   * once more with these: so a key that is replaced between two loads is used without a restart.
   */
  use<Result>(body: () => Promise<Result>): Promise<Result>;
}

/** @param read reads the secrets, as they are now. */
export function heldSecrets<Value>(read: () => Promise<Value>): HeldSecrets<Value> {
  let held: Promise<Value> | undefined;
  const get = () => {
    held ??= read().catch((error: unknown) => {
      held = undefined;
      throw error;
    });
    return held;
  };
  return {
    get,
    async use(body) {
      const used = await get();
      try {
        return await body();
      } catch (error) {
        if (!(error instanceof ComportaError) || error.code !== 'AuthenticationFailed') throw error;
        const fresh = await read();
        if (JSON.stringify(fresh) === JSON.stringify(used)) throw error;
        held = Promise.resolve(fresh);
        return body();
      }
    },
  };
}
