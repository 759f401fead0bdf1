import { googleAuthLibrary, grpc } from 'google-gax';

/**
 * Options of a generated client for a server of `http:`: it is spoken to without TLS, and no token is
 * sent, which whoever listens could use.
 */
export function plainServer({ hostname, port }: URL) {
  return {
    apiEndpoint: hostname,
    port: Number(port || 80),
    sslCreds: grpc.credentials.createInsecure(),
    authClient: new googleAuthLibrary.PassThroughClient(),
  };
}
