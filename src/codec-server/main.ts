import { Command, InvalidArgumentError } from 'commander';
import { exitCodeOf } from '../client/exit-codes';
import { ComportaError, messageOf } from '../errors';
import { createSecretStore } from '../secrets/secret-stores';
import { loadEncryption } from '../temporal/encryption';
import { startCodecServer } from './server';

interface Settings {
  readonly host: string;
  readonly port: number;
  readonly origin: readonly string[];
}

async function main(): Promise<void> {
  const { host, port, origin } = parse(process.argv.slice(2));
  const codec = await loadEncryption(process.env, createSecretStore(process.env));
  if (codec === undefined) {
    throw new ComportaError('ConfigurationInvalid', 'COMPORTA_PAYLOAD_KEYS is not set', {
      remedy: 'set it as for the workers: nothing is encrypted without it',
    });
  }
  const token = process.env['COMPORTA_CODEC_TOKEN'];
  const server = await startCodecServer(codec, {
    ...{ host, port, origins: origin },
    ...(token === undefined ? {} : { token }),
  });
  process.stderr.write(`decrypting for ${origin.join(', ')} on http://${host}:${server.port}\n`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void server.close());
  }
}

function parse(argumentsGiven: readonly string[]): Settings {
  const command = new Command('codec-server')
    .description(
      "Decrypt payloads for Temporal's Web UI and command line, in the operator's browser.",
    )
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <number>', 'TCP port; 0 takes a free one', portNumber, 8234)
    .option('--origin <url...>', 'addresses of the Web UI', ['http://localhost:8233'])
    .addHelpText(
      'after',
      `
The keys are those of the workers (COMPORTA_PAYLOAD_KEYS). COMPORTA_CODEC_TOKEN, when it is set, must
come as a bearer token with every request. Put TLS before it for any other host than this one.

Exit codes: 0 stopped as asked, 1 failed, 2 wrong usage or configuration.

Examples:
  npm run codec-server
  npm run codec-server -- --origin https://temporal.example.com`,
    );
  command.parse(argumentsGiven, { from: 'user' });
  return command.opts<Settings>();
}

function portNumber(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new InvalidArgumentError('It takes a port.');
  }
  return port;
}

main().catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(exitCodeOf(error));
});
