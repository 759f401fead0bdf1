import { startTemporal } from '../scripts/services/temporal';
import { Client, Connection } from '@temporalio/client';
import {
  bundleWorkflowCode,
  DefaultLogger,
  makeTelemetryFilterString,
  NativeConnection,
  Runtime,
  Worker,
} from '@temporalio/worker';
import { registerSearchAttributes } from '../src/worker/search-attributes';
import { CONTROL_TASK_QUEUE, controllerWorkflowId, engineTaskQueue } from '../src/workflows/api';
import type { controller } from '../src/workflows';
import { fakeActivities } from '../test/support/fake-activities';
import { cpuSeconds, median, timed } from './measure';

export interface OrchestrationFigure {
  readonly tables: number;
  readonly wallSeconds: number;
  readonly workerCpuMsPerTable: number;
  readonly serverCpuMsPerTable: number;
}

/**
 * What the workflows themselves cost: batches of tables whose activities do nothing, eight at a
 * time, through the real workflow code and a real development server. Medians of `repeats` runs
 * after one that warms up.
 */
export async function benchOrchestration(
  sizes: readonly number[],
  repeats: number,
): Promise<readonly OrchestrationFigure[]> {
  const logger = new DefaultLogger('ERROR');
  Runtime.install({
    logger,
    telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR' }) } },
  });
  const workflowBundle = await bundleWorkflowCode({
    workflowsPath: require.resolve('../src/workflows'),
    logger,
  });
  const server = await startTemporal({ headless: true });
  try {
    const clientConnection = await Connection.connect({ address: server.address });
    await registerSearchAttributes(clientConnection, server.namespace);
    const client = new Client({ connection: clientConnection });
    const connection = await NativeConnection.connect({ address: server.address });
    const figures: OrchestrationFigure[] = [];
    for (const tables of sizes) {
      const { activities } = fakeActivities({
        tables: Array.from({ length: tables }, (_, index) => `table_${index}`),
        concurrency: 8,
      });
      const { loadTable, ...control } = activities;
      const workers = [
        await Worker.create({
          connection,
          taskQueue: CONTROL_TASK_QUEUE,
          workflowBundle,
          activities: control,
        }),
        await Worker.create({
          connection,
          taskQueue: engineTaskQueue('embedded'),
          activities: { loadTable },
        }),
      ];
      const runs = workers.map((worker) => worker.run());
      const samples: OrchestrationFigure[] = [];
      for (let repeat = 0; repeat <= repeats; repeat++) {
        const sample = await measureBatch(client, server.pid ?? 0, tables, repeat);
        if (repeat > 0) samples.push(sample);
      }
      figures.push({
        tables,
        wallSeconds: median(samples.map((sample) => sample.wallSeconds)),
        workerCpuMsPerTable: median(samples.map((sample) => sample.workerCpuMsPerTable)),
        serverCpuMsPerTable: median(samples.map((sample) => sample.serverCpuMsPerTable)),
      });
      for (const worker of workers) worker.shutdown();
      await Promise.all(runs);
    }
    await connection.close();
    await clientConnection.close();
    return figures;
  } finally {
    await server.stop();
  }
}

async function measureBatch(
  client: Client,
  serverPid: number,
  tables: number,
  repeat: number,
): Promise<OrchestrationFigure> {
  const batch = `b${tables}-${repeat}`;
  const before = { worker: cpuSeconds(process.pid), server: cpuSeconds(serverPid) };
  const { seconds } = await timed(() =>
    client.workflow.execute<typeof controller>('controller', {
      workflowId: controllerWorkflowId('bench', batch),
      taskQueue: CONTROL_TASK_QUEUE,
      args: [{ pipeline: 'bench', batch }],
    }),
  );
  const perTable = (after: number, earlier: number) => ((after - earlier) * 1000) / tables;
  return {
    tables,
    wallSeconds: seconds,
    workerCpuMsPerTable: perTable(cpuSeconds(process.pid), before.worker),
    serverCpuMsPerTable: perTable(cpuSeconds(serverPid), before.server),
  };
}
