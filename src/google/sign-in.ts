/**
 * How google-auth-library, which knows no codes, says that there are no credentials or none that are
 * good: absent, expired, revoked, a file that is not there, a key that is none.
 */
export const SIGN_IN_PROBLEM =
  /default credentials|Unable to read the credential file|invalid_grant|Could not refresh access token|invalid_client|^The file at .* does not exist|DECODER routines/i;

/** What the generated clients of Google's gRPC services have in common. */
interface GeneratedClient {
  initialize(): Promise<unknown>;
  close(): Promise<void>;
}

/** A client that is opened when it is first needed. */
export interface OpenClient<Client> {
  /** Throws what the client throws where it cannot sign in; the next call tries again. */
  get(): Promise<Client>;
  close(): Promise<void>;
}

/**
 * A client that has signed in. Each of its methods would do that itself, but without credentials the
 * process would end with a rejection that nobody can catch (`this.initialize().catch(err => { throw
 * err; })` in the generated code), and the client would never try again.
 */
export function openedOnce<Client extends GeneratedClient>(
  create: () => Client,
): OpenClient<Client> {
  let opened: Promise<Client> | undefined;
  const open = async () => {
    const client = create();
    try {
      await client.initialize();
      return client;
    } catch (error) {
      opened = undefined;
      throw error;
    }
  };
  return {
    get: () => (opened ??= open()),
    close: async () => (await opened?.catch(() => undefined))?.close(),
  };
}
