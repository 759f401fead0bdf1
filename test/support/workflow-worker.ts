import { Context } from '@temporalio/activity';
import { Client, Connection } from '@temporalio/client';
import {
  bundleWorkflowCode,
  DefaultLogger,
  makeTelemetryFilterString,
  NativeConnection,
  Runtime,
  Worker,
  type WorkflowBundle,
} from '@temporalio/worker';
import { withHeartbeat } from '../../src/activities/heartbeat';
import { TRACING_INTERCEPTORS } from '../../src/tracing/workflow-interceptors';
import { registerSearchAttributes } from '../../src/worker/search-attributes';
import {
  CONTROL_TASK_QUEUE,
  engineTaskQueue,
  type ControlActivities,
  type EngineActivities,
  type IngestTableInput,
} from '../../src/workflows/api';
import type { TemporalFacts } from '../../scripts/services/temporal';
import { sharedTemporal, uniqueName } from './servers';

/** The real workflow code on the real server, with activities of the test's own. */
export interface WorkflowWorld {
  readonly client: Client;
  /** A name that no other world has. */
  readonly pipeline: string;
  close(): Promise<void>;
}

Runtime.install({
  logger: new DefaultLogger('ERROR'),
  telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR' }) } },
});

const bundles = new Map<boolean, Promise<WorkflowBundle>>();

/** The workflows as the worker bundles them, with tracing or without; made once per process. */
export function workflowBundle({ traced = false } = {}): Promise<WorkflowBundle> {
  const bundle =
    bundles.get(traced) ??
    bundleWorkflowCode({
      workflowsPath: require.resolve('../../src/workflows'),
      workflowInterceptorModules: traced ? [TRACING_INTERCEPTORS] : [],
      logger: Runtime.instance().logger,
    });
  bundles.set(traced, bundle);
  return bundle;
}

/** A client of a server, by default of the shared one, with the search attributes in place. */
export async function connectClient(
  server?: Pick<TemporalFacts, 'address' | 'namespace'>,
): Promise<{ client: Client; address: string }> {
  const { address, namespace } = server ?? (await sharedTemporal());
  const connection = await Connection.connect({ address });
  await registerSearchAttributes(connection, namespace);
  return { client: new Client({ connection, namespace }), address };
}

/**
 * Starts workers for the given activities. Their task queues are the real ones, so only one world
 * may be open at a time in a process; the pipeline's name keeps workflow ids apart.
 * @param options.frozen loads send no heartbeats, as those of a worker that stands still.
 */
export async function startWorkflowWorld(
  activities: ControlActivities & EngineActivities,
  { frozen = false }: { readonly frozen?: boolean } = {},
): Promise<WorkflowWorld> {
  const { client, address } = await connectClient();
  const connection = await NativeConnection.connect({ address });
  const { loadTable: load, deleteCluster, ...control } = activities;
  // A load that a test holds back is no dead worker's, unless the test says so.
  const loadTable = (input: IngestTableInput) =>
    frozen ? load(input) : withHeartbeat(Context.current(), {}, () => load(input));
  const workers = await Promise.all([
    Worker.create({
      connection,
      taskQueue: CONTROL_TASK_QUEUE,
      workflowBundle: await workflowBundle(),
      activities: control,
    }),
    Worker.create({
      connection,
      taskQueue: engineTaskQueue('embedded'),
      activities: { loadTable },
      maxHeartbeatThrottleInterval: '1 second',
    }),
    Worker.create({
      connection,
      taskQueue: engineTaskQueue('dataproc'),
      activities: { loadTable, deleteCluster },
    }),
  ]);
  const runs = workers.map((worker) => worker.run());
  return {
    client,
    pipeline: uniqueName('pipeline'),
    async close() {
      for (const worker of workers) worker.shutdown();
      await Promise.all(runs);
      await connection.close();
      await client.connection.close();
    },
  };
}
