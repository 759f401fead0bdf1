import { isDockerRunning, startWithDocker, type Services } from './docker';
import { startGcs } from './gcs';
import { startMariadb } from './mariadb';
import { startMysql } from './mysql';
import { startPostgres } from './postgres';
import { startS3 } from './s3';
import type { ServiceName } from './service';
import { startTemporal } from './temporal';

export interface StartOptions {
  /**
   * `docker`: containers of docker-compose.yaml. `native`: processes of this machine. Default:
   * Docker where an engine runs, native otherwise.
   */
  readonly mode?: 'docker' | 'native';
  /** Port on 127.0.0.1. Default: a free one. */
  readonly port?: number;
  /** Native only: folder that keeps the data. Default: a temporary one. */
  readonly directory?: string;
  /** Told about slow steps such as an installation. Default: silent. */
  readonly progress?: (line: string) => void;
}

type NativeStart<Service> = (options: Omit<StartOptions, 'mode'>) => Promise<Service>;

const nativeStarts: { readonly [Name in ServiceName]: NativeStart<Services[Name]> } = {
  // Who chooses a folder wants to find the workflows again.
  temporal: (options) => startTemporal({ ...options, persistent: options.directory !== undefined }),
  mariadb: startMariadb,
  mysql: startMysql,
  postgres: startPostgres,
  s3: startS3,
  gcs: startGcs,
};

/** Starts a service in whichever way this machine allows. */
export async function startService<Name extends ServiceName>(
  name: Name,
  { mode, ...options }: StartOptions = {},
): Promise<Services[Name]> {
  const withDocker = mode === undefined ? await isDockerRunning() : mode === 'docker';
  return withDocker ? startWithDocker(name, options) : nativeStarts[name](options);
}
