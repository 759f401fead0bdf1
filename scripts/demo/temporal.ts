import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ComportaError } from '../../src/errors';
import { connectClient, loadTemporalOptions } from '../../src/temporal/connection';
import { idleQueues } from '../../src/temporal/task-queues';
import { webUiAddress } from '../../src/temporal/web-ui';
import type { RunningService } from '../services/service';
import { startService } from '../services/start';
import type { Progress } from './progress';
import type { Workspace } from './workspace';

/** The Temporal that a demo runs on. */
export interface DemoTemporal {
  readonly address: string;
  readonly namespace: string;
  readonly uiUrl: string | undefined;
  /** What the worker and the commands need in their environment to reach it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Undefined when it was running already and stays. */
  readonly service: RunningService | undefined;
}

/**
 * The Temporal that the environment names, if it answers, else one of the demo's own.
 * @param own do not look for one that runs already.
 */
export async function obtainTemporal(
  workspace: Workspace,
  progress: Progress,
  { own }: { readonly own: boolean },
): Promise<DemoTemporal> {
  return (own ? undefined : await findTemporal(progress)) ?? startOwn(workspace, progress);
}

async function findTemporal(progress: Progress): Promise<DemoTemporal | undefined> {
  const options = loadTemporalOptions(process.env);
  try {
    const found = await connectClient(options);
    try {
      const idle = await idleQueues(found, new Date());
      if (!idle.some(({ role }) => role === 'control')) {
        // It would take the demo's workflows and knows nothing of its databases.
        progress.note(`Temporal at ${found.address} has another worker of Comporta; not used`);
        return undefined;
      }
    } finally {
      await found.close();
    }
  } catch (error) {
    if (!(error instanceof ComportaError)) throw error;
    if (process.env['TEMPORAL_ADDRESS']) progress.note(`not used: ${error.message}`);
    return undefined;
  }
  progress.note(`using Temporal at ${options.address}, which is running already`);
  return {
    address: options.address,
    namespace: options.namespace,
    uiUrl: webUiAddress(undefined, process.env, options.address),
    environment: {},
    service: undefined,
  };
}

async function startOwn(workspace: Workspace, progress: Progress): Promise<DemoTemporal> {
  const service = await startService('temporal', {
    progress: (line) => progress.note(`Temporal: ${line}`),
  });
  const { address, namespace, uiUrl } = service;
  // A profile of the user's may ask for TLS or another namespace, and this server has neither.
  const profiles = join(workspace.path, 'temporal.toml');
  await writeFile(
    profiles,
    `[profile.default]\naddress = "${address}"\nnamespace = "${namespace}"\n`,
  );
  return {
    address,
    namespace,
    uiUrl,
    service,
    environment: {
      TEMPORAL_ADDRESS: address,
      TEMPORAL_NAMESPACE: namespace,
      TEMPORAL_CONFIG_FILE: profiles,
      TEMPORAL_PROFILE: '',
      TEMPORAL_API_KEY: '',
      TEMPORAL_TLS: '',
      ...(uiUrl === undefined ? {} : { TEMPORAL_UI_ADDRESS: uiUrl }),
    },
  };
}
