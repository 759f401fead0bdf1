import { ensureMariadb } from './services/mariadb';
import { ensureMysql } from './services/mysql';
import { ensurePostgres } from './services/postgres';
import { ensureS3 } from './services/s3';
import { serviceNames, type ServiceName } from './services/service';
import { ensureTemporal } from './services/temporal';

type Progress = (line: string) => void;

const installers: Readonly<Record<ServiceName, (progress: Progress) => Promise<unknown>>> = {
  temporal: ensureTemporal,
  mariadb: ensureMariadb,
  mysql: ensureMysql,
  postgres: () => ensurePostgres(),
  s3: ensureS3,
};

/** Built from source on every core, hence one after the other. */
const builds: readonly ServiceName[] = ['temporal', 's3'];

/**
 * Installs what the native services need, so that no test waits for it: downloads beside the
 * builds, builds in turn. What is installed already costs nothing.
 * @param progress told one short line per slow step. Default: silent.
 * @throws ToolUnavailableError naming what is missing and how to get it. The other tools are
 *   installed all the same.
 */
export async function ensureTools(
  names: readonly ServiceName[] = serviceNames,
  progress: Progress = () => undefined,
): Promise<void> {
  const install = (name: ServiceName) => installers[name]((line) => progress(`${name}: ${line}`));
  const downloads = names.filter((name) => !builds.includes(name)).map(install);
  const buildInTurn = async () => {
    for (const name of builds.filter((build) => names.includes(build))) await install(name);
  };
  const outcomes = await Promise.allSettled([...downloads, buildInTurn()]);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
}
