import { callTemporal } from '../../temporal/errors';
import { idleQueues } from '../../temporal/task-queues';
import type { EngineName } from '../../pipeline/pipeline';
import type { Finding } from '../../sources/source';
import type { CommandContext } from '../context';
import { group, type CheckGroup } from './group';

/** Connects, asks for the namespace, and looks for workers. */
export async function checkTemporal(
  context: CommandContext,
  profile: string | undefined,
  engines: Iterable<EngineName>,
): Promise<CheckGroup> {
  return group('Temporal', async () => {
    const temporal = await context.openClient(profile);
    try {
      const { namespace, address } = temporal;
      await callTemporal(temporal, () =>
        temporal.client.workflowService.describeNamespace({ namespace }),
      );
      const idle = await idleQueues(temporal, context.now(), engines);
      const findings = idle.map(({ role, taskQueue }): Finding => ({
        severity: 'warning',
        subject: `task queue ${taskQueue}`,
        problem: 'no worker polls it, so nothing would load',
        remedy: `start one: npm start -- --roles ${role} (or npm start for all roles)`,
      }));
      return { checked: `${address}, namespace ${namespace}`, findings };
    } finally {
      await temporal.close();
    }
  });
}
