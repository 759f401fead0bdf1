import type { DestinationEndpoint, SourceEndpoint } from '../../src/endpoints';
import type { Job } from './job';

/** What a job is in Comporta's own words. */

/** A bucket that anybody with these keys may fill. */
export interface BucketOption {
  readonly bucket: string;
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export function destinationOf(job: Job): DestinationEndpoint {
  const settings = { compression: 'zstd', zstdLevel: job.zstdLevel } as const;
  const option = job.options['bucket'] as BucketOption | undefined;
  if (option === undefined)
    return { connection: { type: 'file', name: 'lake', path: job.output }, settings };
  return {
    settings,
    connection: {
      type: 's3',
      name: 'lake',
      bucket: option.bucket,
      prefix: '',
      region: option.region,
      endpoint: option.endpoint,
      forcePathStyle: true,
      accessKeyId: { from: 'env', name: 'BENCH_KEY' },
      secretAccessKey: { from: 'env', name: 'BENCH_SECRET' },
    },
  };
}

export function sourceOf({ family, host, port, user, database }: Job): SourceEndpoint {
  return {
    connection: {
      type: family,
      name: 'bench',
      host,
      port,
      user,
      password: { from: 'env', name: 'BENCH_PASSWORD' },
      database,
      tls: { mode: 'disable' },
      connectTimeoutMs: 10_000,
      silenceTimeoutMs: 15_000,
    },
    schemas: family === 'mysql' ? [] : ['public'],
  };
}

/** What the job's secrets are called; threads get it when they start. */
export function environmentOf(job: Job): NodeJS.ProcessEnv {
  const bucket = job.options['bucket'] as BucketOption | undefined;
  return {
    ...process.env,
    BENCH_PASSWORD: job.password,
    ...(bucket && { BENCH_KEY: bucket.accessKeyId, BENCH_SECRET: bucket.secretAccessKey }),
  };
}
