import { randomBytes } from 'node:crypto';
import type { DatabaseService, RunningService } from '../services/service';
import { startService } from '../services/start';
import type { Progress } from './progress';
import type { ServerAccess } from './sample/server-access';
import { obtainTemporal, type DemoTemporal } from './temporal';
import type { Workspace } from './workspace';

/** Everything that a demo talks to. */
export interface DemoServers {
  readonly temporal: DemoTemporal;
  readonly sales: ServerAccess;
  readonly finance: ServerAccess;
  /** What the worker and the commands need beside the environment of this process. */
  readonly environment: Readonly<Record<string, string>>;
  /** Those that the demo started. */
  readonly started: readonly RunningService[];
}

/** Starts Temporal (unless one is there), a MySQL-compatible server and PostgreSQL at once. */
export async function startServers(
  workspace: Workspace,
  progress: Progress,
  options: { readonly ownTemporal: boolean },
): Promise<DemoServers> {
  const [temporal, mariadb, postgres] = await Promise.all([
    obtainTemporal(workspace, progress, { own: options.ownTemporal }),
    startService('mariadb', { progress: (line) => progress.note(`MariaDB: ${line}`) }),
    startService('postgres', { progress: (line) => progress.note(`PostgreSQL: ${line}`) }),
  ]);
  const sales = accessOf(mariadb);
  const finance = accessOf(postgres);
  return {
    temporal,
    sales,
    finance,
    environment: {
      ...temporal.environment,
      ...connectionVariables('COMPORTA_SALES', sales),
      ...connectionVariables('COMPORTA_FINANCE', finance),
      COMPORTA_MASK_KEY: randomBytes(16).toString('hex'),
      COMPORTA_PIPELINES: workspace.pipelines,
    },
    started: [temporal.service, mariadb, postgres].filter((service) => service !== undefined),
  };
}

function accessOf({ host, port, user, password }: DatabaseService): ServerAccess {
  return { host, port, user, password };
}

/** The variables that pipelines/connections.yaml asks for. */
function connectionVariables(prefix: string, access: ServerAccess): Record<string, string> {
  return {
    [`${prefix}_HOST`]: access.host,
    [`${prefix}_PORT`]: String(access.port),
    [`${prefix}_USER`]: access.user,
    [`${prefix}_PASSWORD`]: access.password,
  };
}
