import { CONTROL_TASK_QUEUE, engineTaskQueue } from '../workflows/api';
import type { TemporalClient } from './connection';
import { callTemporal } from './errors';

/** Parts of the work that no worker process does at present, with the task queue of each. */
export interface IdleQueue {
  readonly role: 'control' | 'embedded';
  readonly taskQueue: string;
}

/** temporal.api.enums.v1.TaskQueueType */
const WORKFLOW = 1;
const ACTIVITY = 2;

/** A poll lasts a minute, and the server remembers pollers for five: older ones are gone. */
const POLLER_AGE_MS = 90_000;

/** The task queues of a load that no worker polls, so that nothing would happen. */
export async function idleQueues(temporal: TemporalClient, now: Date): Promise<IdleQueue[]> {
  const queues = [
    { role: 'control', taskQueue: CONTROL_TASK_QUEUE, type: WORKFLOW },
    { role: 'embedded', taskQueue: engineTaskQueue('embedded'), type: ACTIVITY },
  ] as const;
  const polled = await Promise.all(
    queues.map(({ taskQueue, type }) => isPolled(temporal, taskQueue, type, now)),
  );
  return queues
    .filter((_, index) => !polled[index])
    .map(({ role, taskQueue }) => ({ role, taskQueue }));
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
