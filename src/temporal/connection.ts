import { Client, Connection } from '@temporalio/client';
import type { DataConverter, PayloadCodec } from '@temporalio/common';
import { loadClientConnectConfig, type ClientConnectConfig } from '@temporalio/envconfig';
import { ComportaError } from '../errors';
import { diagnose, nobodyThere } from './diagnose';
import { temporalError } from './errors';

/**
 * How to reach Temporal, for clients (`Connection.connect(options.connection)`) and workers
 * (`NativeConnection.connect(options.connection)`) alike. Holds keys: never print it.
 */
export interface TemporalOptions {
  /** `host:port`; safe to print. */
  readonly address: string;
  readonly namespace: string;
  readonly connection: ClientConnectConfig['connectionOptions'] & { readonly address: string };
}

const DEFAULT_ADDRESS = 'localhost:7233';
const DEFAULT_NAMESPACE = 'default';

/**
 * Reads Temporal's own environment configuration: the profile in temporal.toml (TEMPORAL_PROFILE,
 * TEMPORAL_CONFIG_FILE), over it TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY and
 * TEMPORAL_TLS_* (https://docs.temporal.io/develop/environment-configuration).
 *
 * @param profile overrides TEMPORAL_PROFILE; default: the profile "default", if there is one.
 * @throws ComportaError ConfigurationInvalid. The cause stays behind, since a parser's message
 * quotes the lines around a mistake and one of them may be the API key.
 */
export function loadTemporalOptions(
  environment: NodeJS.ProcessEnv,
  profile?: string,
): TemporalOptions {
  const { connectionOptions, namespace } = readConfiguration(environment, profile);
  const address = connectionOptions.address ?? DEFAULT_ADDRESS;
  return {
    address,
    namespace: namespace ?? DEFAULT_NAMESPACE,
    connection: { ...connectionOptions, address },
  };
}

function readConfiguration(
  environment: NodeJS.ProcessEnv,
  profile: string | undefined,
): ClientConnectConfig {
  const set = Object.entries(environment).filter(
    ([, value]) => value !== undefined && value !== '',
  );
  try {
    return loadClientConnectConfig({
      overrideEnvVars: Object.fromEntries(set) as Record<string, string>,
      ...(profile === undefined ? {} : { profile }),
    });
  } catch (error) {
    throw configurationError(error, profile ?? environment['TEMPORAL_PROFILE']);
  }
}

function configurationError(error: unknown, profile: string | undefined): ComportaError {
  const { message, code, path } = error as NodeJS.ErrnoException;
  if (profile !== undefined && message === `Profile '${profile}' not found in config data`) {
    return new ComportaError(
      'ConfigurationInvalid',
      `Temporal's configuration file has no profile "${profile}"`,
      { remedy: 'list the profiles with "temporal config list", or leave --profile out' },
    );
  }
  if (code !== undefined && path !== undefined) {
    return new ComportaError(
      'ConfigurationInvalid',
      `${path}, which Temporal's configuration names, cannot be read (${code})`,
      { remedy: 'check TEMPORAL_CONFIG_FILE, TEMPORAL_TLS_* and the paths in the profile' },
    );
  }
  return new ComportaError('ConfigurationInvalid', "Temporal's configuration is malformed", {
    remedy:
      'check the TOML of temporal.toml (or TEMPORAL_CONFIG_FILE) and the TEMPORAL_* variables',
  });
}

/** A client with its connection, for the length of one command. */
export interface TemporalClient {
  readonly client: Client;
  /** `host:port` of the server. */
  readonly address: string;
  readonly namespace: string;
  close(): Promise<void>;
}

/** Milliseconds that a server may take to answer the first call. */
const CONNECT_TIMEOUT_MS = 5_000;

/**
 * Connects a client. Gives up at once where nothing listens, otherwise after 5 seconds.
 * @param codec of the payloads, as the workers have it (`loadEncryption`); default: they are plain.
 * @throws ComportaError ConnectionFailed, AuthenticationFailed, ConfigurationInvalid.
 */
export async function connectClient(
  options: TemporalOptions,
  codec?: PayloadCodec,
): Promise<TemporalClient> {
  const { address, namespace } = options;
  const connection = openLazily(options);
  const connecting = connection.ensureConnected();
  try {
    await Promise.race([connecting, rejectIfNobodyThere(options)]);
  } catch (error) {
    // The attempt goes on until its deadline; its outcome no longer matters.
    connecting.catch(() => undefined);
    await connection.close();
    if (error instanceof ComportaError) throw error;
    throw temporalError(error, options) ?? (await diagnose(options));
  }
  return {
    client: new Client({ connection, namespace, ...dataConversion(codec) }),
    address,
    namespace,
    close: () => connection.close(),
  };
}

/** For clients and workers alike. */
export function dataConversion(codec: PayloadCodec | undefined): { dataConverter?: DataConverter } {
  return codec === undefined ? {} : { dataConverter: { payloadCodecs: [codec] } };
}

function openLazily(options: TemporalOptions): Connection {
  try {
    return Connection.lazy({ ...options.connection, connectTimeout: CONNECT_TIMEOUT_MS });
  } catch {
    // Of the address or of the TLS files; the latter's errors may quote them.
    throw new ComportaError(
      'ConfigurationInvalid',
      `Temporal's connection settings for ${options.address} are not usable`,
      {
        remedy:
          'give the address as host:port, and certificate and key as PEM (TEMPORAL_ADDRESS, TEMPORAL_TLS_*)',
      },
    );
  }
}

/** gRPC itself tries again until its deadline, even where the port is closed. */
async function rejectIfNobodyThere(options: TemporalOptions): Promise<never> {
  const error = await nobodyThere(options);
  if (error !== undefined) throw error;
  return new Promise<never>(() => undefined);
}
