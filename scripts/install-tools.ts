import { ensureBigquery } from './services/bigquery';
import { ensureChromium } from './services/chromium';
import { findExecutable } from './services/command';
import { ensureGcs } from './services/gcs';
import { ensureMariadb } from './services/mariadb';
import { ensureMoto } from './services/moto';
import { ensureMysql } from './services/mysql';
import { ensurePostgres } from './services/postgres';
import { ensurePrometheus } from './services/prometheus';
import { ensureS3 } from './services/s3';
import { serviceNames, ToolUnavailableError } from './services/service';
import { ensureGcsConnector, ensureSpark } from './services/spark';
import { ensureTemporal } from './services/temporal';

type Progress = (line: string) => void;

/** The services, and what tests run besides. */
const toolNames = [...serviceNames, 'bigquery', 'prometheus', 'chromium', 'moto', 'spark'] as const;

type ToolName = (typeof toolNames)[number];

const installers: Readonly<Record<ToolName, (progress: Progress) => Promise<unknown>>> = {
  temporal: ensureTemporal,
  mariadb: ensureMariadb,
  mysql: ensureMysql,
  postgres: () => ensurePostgres(),
  s3: ensureS3,
  gcs: ensureGcs,
  bigquery: ensureBigquery,
  prometheus: ensurePrometheus,
  chromium: ensureChromium,
  moto: ensureMoto,
  // Without Java its tests are skipped, and say so.
  spark: async (progress) =>
    findExecutable('java') && Promise.all([ensureSpark(progress), ensureGcsConnector(progress)]),
};

/** Built from source on every core, hence one after the other. */
const builds: readonly ToolName[] = ['temporal', 's3', 'gcs'];

/**
 * Installs what the native services need, so that no test waits for it: downloads beside the
 * builds, builds in turn. What is installed already costs nothing.
 * @param progress told one short line per slow step. Default: silent.
 * @throws ToolUnavailableError with a line for each tool that is missing and how to get it. The
 *   other tools are installed all the same.
 */
export async function ensureTools(
  names: readonly ToolName[] = toolNames,
  progress: Progress = () => undefined,
): Promise<void> {
  const install = (name: ToolName) => installers[name]((line) => progress(`${name}: ${line}`));
  const installations = names.filter((name) => !builds.includes(name)).map(install);
  const buildsInTurn: Promise<unknown>[] = [];
  for (const name of builds.filter((build) => names.includes(build)))
    buildsInTurn.push(Promise.allSettled(buildsInTurn).then(() => install(name)));
  const outcomes = await Promise.allSettled([...installations, ...buildsInTurn]);
  const failures = outcomes.filter((outcome) => outcome.status === 'rejected');
  if (failures.length === 0) return;
  const reasons: unknown[] = failures.map(({ reason }) => reason as unknown);
  const messages = reasons.map((reason) =>
    reason instanceof Error ? reason.message : String(reason),
  );
  throw new ToolUnavailableError(messages.join('\n'), { cause: reasons });
}
