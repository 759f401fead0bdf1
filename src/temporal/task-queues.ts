import { CONTROL_TASK_QUEUE, engineTaskQueue } from '../workflows/api';
import { ENGINES, type EngineName } from '../pipeline/pipeline';
import type { TemporalClient } from './connection';
import { callTemporal } from './errors';

/** Parts of the work that no worker process does at present, with the task queue of each. */
export interface IdleQueue {
  readonly role: 'control' | EngineName;
  readonly taskQueue: string;
}

/** temporal.api.enums.v1.TaskQueueType */
const WORKFLOW = 1;
const ACTIVITY = 2;

/** A poll lasts a minute, and the server remembers pollers for five: older ones are gone. */
const POLLER_AGE_MS = 90_000;

/**
 * The task queues of loads that no worker polls, so that nothing would happen. `engines` are those that
 * are needed; where that is not known, one that works is enough.
 */
export async function idleQueues(
  temporal: TemporalClient,
  now: Date,
  engines?: Iterable<EngineName>,
): Promise<IdleQueue[]> {
  const isIdle = async (role: IdleQueue['role']) => {
    const type = role === 'control' ? WORKFLOW : ACTIVITY;
    return !(await isPolled(temporal, taskQueueOf(role), type, now));
  };
  const asked = ['control' as const, ...(engines ?? ENGINES)];
  const idle = await Promise.all(asked.map(isIdle));
  const roles = asked.filter((_, index) => idle[index]);
  const needed =
    engines !== undefined
      ? roles
      : roles.filter(
          (role) => role === 'control' || (role === 'embedded' && idle.slice(1).every(Boolean)),
        );
  return needed.map((role) => ({ role, taskQueue: taskQueueOf(role) }));
}

function taskQueueOf(role: IdleQueue['role']): string {
  return role === 'control' ? CONTROL_TASK_QUEUE : engineTaskQueue(role);
}

async function isPolled(
  temporal: TemporalClient,
  name: string,
  taskQueueType: number,
  now: Date,
): Promise<boolean> {
  const { pollers } = await callTemporal(temporal, () =>
    temporal.client.workflowService.describeTaskQueue({
      namespace: temporal.namespace,
      taskQueue: { name },
      taskQueueType,
    }),
  );
  return (pollers ?? []).some(({ lastAccessTime }) => {
    const seconds = Number(lastAccessTime?.seconds ?? 0);
    return now.getTime() - seconds * 1000 < POLLER_AGE_MS;
  });
}
