import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { ComportaError } from '../errors';
import type { TemporalOptions } from './connection';
import { REACH_IT } from './errors';

/** Milliseconds for each probe. */
const PATIENCE_MS = 3_000;

const PROXY_VARIABLES = ['grpc_proxy', 'https_proxy', 'http_proxy'];

/**
 * Why waiting for the server is pointless: its port is closed or its name unknown. Undefined where
 * an attempt may succeed, and behind a proxy, which reaches what this machine does not.
 */
export async function nobodyThere(options: TemporalOptions): Promise<ComportaError | undefined> {
  if (PROXY_VARIABLES.some((name) => process.env[name] ?? process.env[name.toUpperCase()])) {
    return undefined;
  }
  const problem = await probeTcp(options);
  if (problem === 'ECONNREFUSED') {
    return unreachable(options, 'is not there (connection refused)', REACH_IT);
  }
  if (problem === 'ENOTFOUND') return unreachable(options, 'has an unknown host name', REACH_IT);
  return undefined;
}

/**
 * Finds out why a server cannot be talked to. gRPC's client says "Failed to connect before the
 * deadline" whatever the reason: a closed port, a certificate that is not trusted, TLS on one side
 * only. Here each gets its own message.
 */
export async function diagnose(options: TemporalOptions): Promise<ComportaError> {
  const tcp = await probeTcp(options);
  if (tcp !== undefined) return unreachable(options, `cannot be reached (${tcp})`, REACH_IT);

  const anyTls = await probeTls(options, { verify: false });
  if (options.connection.tls) {
    if (anyTls !== undefined) {
      return unreachable(
        options,
        `accepts connections but does not complete a TLS handshake (${anyTls})`,
        'set TEMPORAL_TLS=false if it speaks plain text; if it asks for a client certificate, check TEMPORAL_TLS_CLIENT_CERT_PATH',
      );
    }
    const verified = await probeTls(options, { verify: true });
    if (verified !== undefined) {
      return unreachable(
        options,
        `has a certificate that is not trusted here (${verified})`,
        'name the authority that signed it in TEMPORAL_TLS_SERVER_CA_CERT_PATH, and the name it was issued for in TEMPORAL_TLS_SERVER_NAME',
      );
    }
    const heard = await probeTls(options, { verify: true, speak: true });
    if (heard !== undefined && heard !== NO_ANSWER) {
      return unreachable(
        options,
        `breaks off after the TLS handshake (${heard})`,
        'it may ask for a client certificate, or not accept this one: check TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH',
      );
    }
  } else if (anyTls === undefined) {
    return unreachable(options, 'speaks TLS, and this side does not', 'set TEMPORAL_TLS=true');
  }
  return unreachable(
    options,
    'accepts connections but does not answer as a Temporal server',
    REACH_IT,
  );
}

function unreachable(options: TemporalOptions, problem: string, remedy: string): ComportaError {
  return new ComportaError('ConnectionFailed', `Temporal at ${options.address} ${problem}`, {
    remedy,
  });
}

function probeTcp({ address }: TemporalOptions): Promise<string | undefined> {
  return probe((end) => connectTcp(endpointOf(address)).once('connect', end));
}

function endpointOf(address: string): { host: string; port: number } {
  const match = /^(?:dns:\/*)?\[?(.*?)\]?(?::(\d+))?$/.exec(address);
  return { host: match?.[1] ?? address, port: Number(match?.[2] ?? 7233) };
}

/** What a client of HTTP/2 begins with: RFC 9113, 3.4, its preface and an empty SETTINGS frame. */
const GREETING = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);

/**
 * @param verify the server's certificate.
 * @param speak and wait for an answer: in TLS 1.3 the handshake is over for this side before the
 * server has looked at its certificate.
 */
async function probeTls(
  { address, connection }: TemporalOptions,
  { verify, speak = false }: { readonly verify: boolean; readonly speak?: boolean },
): Promise<string | undefined> {
  const { host, port } = endpointOf(address);
  const tls = typeof connection.tls === 'object' ? connection.tls : undefined;
  const servername = tls?.serverNameOverride ?? (/^[\d.]+$|:/.test(host) ? undefined : host);
  const settings: ConnectionOptions = {
    host,
    port,
    ALPNProtocols: ['h2'],
    rejectUnauthorized: verify,
    ...(servername === undefined ? {} : { servername }),
    ...(tls?.serverRootCACertificate && { ca: Buffer.from(tls.serverRootCACertificate) }),
    ...(tls?.clientCertPair && {
      cert: Buffer.from(tls.clientCertPair.crt),
      key: Buffer.from(tls.clientCertPair.key),
    }),
  };
  return probe((end) => {
    const socket = connectTls(settings, speak ? () => socket.write(GREETING) : end);
    return speak ? socket.once('data', end) : socket;
  });
}

const NO_ANSWER = 'no answer';

/** Undefined when `open` got through, otherwise the error's code, which holds nothing secret. */
function probe(open: (end: () => void) => Socket): Promise<string | undefined> {
  return new Promise((resolve) => {
    const finish = (outcome: string | undefined) => {
      socket.destroy();
      resolve(outcome);
    };
    const socket = open(() => finish(undefined));
    socket.setTimeout(PATIENCE_MS, () => finish(NO_ANSWER));
    socket.once('error', (error: NodeJS.ErrnoException) => finish(error.code ?? 'error'));
    socket.once('close', () => finish('closed'));
  });
}
