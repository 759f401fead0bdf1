import { Context } from '@temporalio/activity';
import type { PayloadCodec } from '@temporalio/common';
import { Worker, type NativeConnection, type WorkerOptions } from '@temporalio/worker';
import type { ActivityDependencies } from '../activities/activities';
import { createControlActivities } from '../activities/control-activities';
import { createEngineActivities } from '../activities/engine-activities';
import { CONTROL_TASK_QUEUE, engineTaskQueue } from '../workflows/api';
import { dataConversion } from '../temporal/connection';
import { NO_TRACING, type Tracing } from '../tracing/tracing';
import { missedRuns } from '../temporal/missed-runs';
import { scheduleId } from '../temporal/schedules';
import type { Role } from './options';

export interface WorkerDependencies extends Pick<
  ActivityDependencies,
  'loadProject' | 'resources' | 'log' | 'metrics' | 'now' | 'linkTo'
> {
  readonly connection: NativeConnection;
  /** Encrypts what Temporal stores; undefined: nothing does. */
  readonly codec?: PayloadCodec | undefined;
  /** Undefined: nothing is traced. */
  readonly tracing?: Tracing | undefined;
  readonly namespace: string;
  readonly roles: readonly Role[];
  readonly maxLoads: number;
  /**
   * The workflow code: its source (bundled at start, some seconds) or a bundle made before, with
   * `TRACING_INTERCEPTORS` in it where there is tracing.
   */
  readonly workflows: Pick<WorkerOptions, 'workflowsPath' | 'workflowBundle'>;
}

/** One Temporal worker per role, all in this process and on one connection. */
export async function createWorkers(deps: WorkerDependencies): Promise<readonly Worker[]> {
  return Promise.all(deps.roles.map((role) => createWorker(role, deps)));
}

async function createWorker(role: Role, deps: WorkerDependencies): Promise<Worker> {
  const { tracing } = deps;
  const { workflowModules = [], activity = [] } = tracing?.worker.interceptors ?? {};
  const common: WorkerOptions = {
    connection: deps.connection,
    ...dataConversion(deps.codec),
    interceptors: {
      // A bundle that was made before has its modules, and the SDK warns of others.
      ...(deps.workflows.workflowBundle === undefined ? { workflowModules } : {}),
      activity,
    },
    ...(tracing === undefined ? {} : { sinks: tracing.worker.sinks }),
    namespace: deps.namespace,
    taskQueue: role === 'control' ? CONTROL_TASK_QUEUE : engineTaskQueue(role),
    shutdownGraceTime: '5 seconds',
    shutdownForceTime: '30 seconds',
    // Without this the SDK holds a heartbeat back for 0.8 of its timeout, up to a minute: people who
    // watch a load, and a cancelled or reset load itself, would learn of it that much later.
    maxHeartbeatThrottleInterval: '1 second',
  };
  const activityDependencies: ActivityDependencies = {
    ...deps,
    tracer: tracing?.tracer ?? NO_TRACING,
    missedRuns: (pipeline, scheduledFor) =>
      missedRuns(
        deps.connection,
        { namespace: deps.namespace, scheduleId: scheduleId(pipeline) },
        scheduledFor,
      ),
    context: () => Context.current(),
  };
  switch (role) {
    case 'control':
      return Worker.create({
        ...common,
        ...deps.workflows,
        activities: createControlActivities(activityDependencies),
        // What a dead worker's sticky cache held is taken up elsewhere after this long.
        stickyQueueScheduleToStartTimeout: '1 second',
      });
    case 'embedded':
    case 'spark':
    case 'dataproc':
    case 'glue':
      return Worker.create({
        ...common,
        activities: createEngineActivities(activityDependencies),
        maxConcurrentActivityTaskExecutions: deps.maxLoads,
        // A frozen process still gets a task for each poll that it had open, and the attempt is lost.
        // One poll fetches far more loads than a worker can begin.
        maxConcurrentActivityTaskPolls: 1,
      });
  }
}

/**
 * Runs the workers until `stop` is called or one of them dies; then stops all and waits for loads
 * under way to end or to be handed back.
 */
export function runWorkers(workers: readonly Worker[]): {
  readonly ended: Promise<void>;
  stop(): void;
} {
  const stop = () => {
    for (const worker of workers) {
      if (worker.getState() === 'RUNNING') worker.shutdown();
    }
  };
  const runs = workers.map((worker) => worker.run().finally(stop));
  return {
    stop,
    ended: Promise.allSettled(runs).then((ends) => {
      for (const end of ends) if (end.status === 'rejected') throw end.reason as Error;
    }),
  };
}
