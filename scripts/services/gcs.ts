import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { installOnce } from './cache';
import { findExecutable } from './command';
import { inServiceDirectory, type ServiceDirectory } from './directory';
import { goInstall, hasGo } from './go';
import { startNative, withFacts } from './native';
import { freePort } from './network';
import { defaultBucket } from './s3';
import {
  loopback,
  ToolUnavailableError,
  type NativeOptions,
  type NativeService,
  type RunningService,
} from './service';

/** How clients reach a stand-in for Google Cloud Storage. It asks nobody for credentials. */
export interface GcsFacts {
  readonly endpoint: string;
  /** An empty bucket made for the caller. */
  readonly bucket: string;
}

export interface GcsService extends RunningService, GcsFacts {}

export interface NativeGcsService extends NativeService, GcsFacts {}

export interface GcsOptions extends NativeOptions {
  /** Default: `lake`. */
  readonly bucket?: string;
}

const version = '1.56.1';

/**
 * Finds or builds fake-gcs-server, which keeps objects in a folder: on PATH, in the cache, or built
 * by Go.
 * @returns path of the program.
 * @throws ToolUnavailableError where neither can be had.
 */
export async function ensureGcs(
  progress: (line: string) => void = () => undefined,
): Promise<string> {
  const present = findExecutable('fake-gcs-server');
  if (present) return present;
  const directory = await installOnce('fake-gcs-server', version, async (target) => {
    if (!hasGo())
      throw new ToolUnavailableError(
        'A stand-in for Google Cloud Storage is missing. Install fake-gcs-server ' +
          '(https://github.com/fsouza/fake-gcs-server) so that it is on PATH, or Go, so that it ' +
          'can be built, or start a Docker engine.',
      );
    progress(`building fake-gcs-server ${version} (2 minutes, once)`);
    await goInstall(`github.com/fsouza/fake-gcs-server@v${version}`, target);
  });
  return join(directory, 'fake-gcs-server');
}

/** Starts fake-gcs-server with one bucket. Objects are files below the service's directory. */
export async function startGcs(options: GcsOptions = {}): Promise<NativeGcsService> {
  const program = await ensureGcs(options.progress);
  return inServiceDirectory('gcs', options.directory, (directory) =>
    startIn(directory, program, options),
  );
}

async function startIn(
  directory: ServiceDirectory,
  program: string,
  options: GcsOptions,
): Promise<NativeGcsService> {
  const root = join(directory.path, 'data');
  const bucket = options.bucket ?? defaultBucket;
  // A folder below the root is a bucket.
  await mkdir(join(root, bucket), { recursive: true });
  const port = options.port ?? (await freePort());
  const endpoint = `http://${loopback}:${port}`;
  const service = await startNative({
    name: 'gcs',
    port,
    directory,
    extraArgs: options.extraArgs,
    ready: async () => {
      const answer = await fetch(`${endpoint}/storage/v1/b/${bucket}`);
      if (!answer.ok) throw new Error(`fake-gcs-server answered ${answer.status}`);
    },
    command: (extraArgs) => ({
      command: program,
      args: [
        '-scheme=http',
        `-host=${loopback}`,
        `-port=${port}`,
        `-public-host=${loopback}:${port}`,
        `-external-url=${endpoint}`,
        '-backend=filesystem',
        `-filesystem-root=${root}`,
        '-log-level=warn',
        ...extraArgs,
      ],
    }),
  });
  return withFacts(service, { endpoint, bucket });
}
