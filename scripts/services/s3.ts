import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateBucketCommand, HeadBucketCommand, NotFound, S3Client } from '@aws-sdk/client-s3';
import { installOnce } from './cache';
import { findExecutable } from './command';
import { inServiceDirectory, type ServiceDirectory } from './directory';
import { goInstall, hasGo } from './go';
import { startNative, withFacts } from './native';
import { acceptsConnection, freePort } from './network';
import {
  loopback,
  ToolUnavailableError,
  type NativeOptions,
  type NativeService,
  type RunningService,
} from './service';

/** How clients reach an S3 endpoint. It wants path-style addresses (`forcePathStyle`). */
export interface S3Facts {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** An empty bucket made for the caller. */
  readonly bucket: string;
}

export interface S3Service extends RunningService, S3Facts {}

export interface NativeS3Service extends NativeService, S3Facts {}

export interface S3Options extends NativeOptions {
  /** Default: `lake`. */
  readonly bucket?: string;
}

const version = '1.8.0';

/** Credentials of the stores made here. They protect nothing: the servers are local and empty. */
export const testKeys = {
  region: 'us-east-1',
  accessKeyId: 'comporta',
  secretAccessKey: 'comporta-secret',
};

export const defaultBucket = 'lake';

/**
 * Finds or builds versitygw, an S3 server over a folder: on PATH, in the cache, or built by Go.
 * @returns path of the program.
 * @throws ToolUnavailableError where neither can be had.
 */
export async function ensureS3(
  progress: (line: string) => void = () => undefined,
): Promise<string> {
  const present = findExecutable('versitygw');
  if (present) return present;
  const directory = await installOnce('versitygw', version, async (target) => {
    if (!hasGo())
      throw new ToolUnavailableError(
        'An S3 server is missing. Install versitygw (https://github.com/versity/versitygw) so ' +
          'that it is on PATH, or Go, so that it can be built, or start a Docker engine.',
      );
    progress(`building versitygw ${version} (2–3 minutes, once)`);
    await goInstall(`github.com/versity/versitygw/cmd/versitygw@v${version}`, target);
  });
  return join(directory, 'versitygw');
}

/** Starts an S3 server with one bucket. Objects are files below the service's directory. */
export async function startS3(options: S3Options = {}): Promise<NativeS3Service> {
  const program = await ensureS3(options.progress);
  return inServiceDirectory('s3', options.directory, (directory) =>
    startIn(directory, program, options),
  );
}

async function startIn(
  directory: ServiceDirectory,
  program: string,
  options: S3Options,
): Promise<NativeS3Service> {
  const root = join(directory.path, 'data');
  await mkdir(root, { recursive: true });
  const port = options.port ?? (await freePort());
  const facts: S3Facts = {
    endpoint: `http://${loopback}:${port}`,
    bucket: options.bucket ?? defaultBucket,
    ...testKeys,
  };
  const service = await startNative({
    name: 's3',
    port,
    directory,
    extraArgs: options.extraArgs,
    ready: async () => {
      await acceptsConnection(port);
      await ensureBucket(facts);
    },
    command: (extraArgs) => ({
      command: program,
      env: { ROOT_ACCESS_KEY: facts.accessKeyId, ROOT_SECRET_KEY: facts.secretAccessKey },
      args: [
        `--port=${loopback}:${port}`,
        `--region=${facts.region}`,
        '--quiet',
        ...extraArgs,
        'posix',
        root,
      ],
    }),
  });
  return withFacts(service, facts);
}

/** Makes the bucket unless it is there. */
export async function ensureBucket({ bucket, ...connection }: S3Facts): Promise<void> {
  const { endpoint, region, accessKeyId, secretAccessKey } = connection;
  const client = new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  try {
    await client.send(new HeadBucketCommand({ Bucket: bucket }));
  } catch (error) {
    if (!(error instanceof NotFound)) throw error;
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
  } finally {
    client.destroy();
  }
}
