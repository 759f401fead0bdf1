import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { startTemporal } from '../scripts/services/temporal';
import { Client, Connection } from '@temporalio/client';
import {
  DefaultLogger,
  makeTelemetryFilterString,
  NativeConnection,
  Runtime,
  Worker,
  type WorkflowBundle,
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
  /** Of this process, client and worker in one, from its beginning. */
  readonly peakMiB: number;
}

/** A batch of so many tables warms up what the sizes have in common. */
const WARMING_TABLES = 50;

/**
 * What the workflows themselves cost: batches of tables whose activities do nothing, eight at a
 * time, through the real workflow code and a real development server. Medians of `repeats` runs
 * after a batch that warms up; `progress` is told of each run.
 */
export async function benchOrchestration(
  sizes: readonly number[],
  repeats: number,
  progress: (line: string) => void,
): Promise<readonly OrchestrationFigure[]> {
  const logger = new DefaultLogger('ERROR');
  Runtime.install({
    logger,
    telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR' }) } },
  });
  const workflowBundle = { code: await bundledWorkflows() };
  const server = await startTemporal({ headless: true });
  try {
    const clientConnection = await Connection.connect({ address: server.address });
    await registerSearchAttributes(clientConnection, server.namespace);
    const client = new Client({ connection: clientConnection });
    const connection = await NativeConnection.connect({ address: server.address });
    const figures: OrchestrationFigure[] = [];
    const batches = (tables: number, count: number) =>
      withWorkers({ connection, workflowBundle, tables }, async () => {
        const samples: OrchestrationFigure[] = [];
        for (let repeat = 0; repeat < count; repeat++) {
          const sample = await measureBatch(client, server.pid ?? 0, tables, repeat);
          progress(`${tables} tables: ${sample.wallSeconds.toFixed(2)} s`);
          samples.push(sample);
        }
        return samples;
      });
    await batches(WARMING_TABLES, 1);
    for (const tables of sizes) figures.push(medians(await batches(tables, repeats)));
    await connection.close();
    await clientConnection.close();
    return figures;
  } finally {
    await server.stop();
  }
}

/** By a process of its own: what webpack takes is not the worker's memory. */
async function bundledWorkflows(): Promise<string> {
  const workflowsPath = require.resolve('../src/workflows');
  const script = `
    const { bundleWorkflowCode, DefaultLogger } = require('@temporalio/worker');
    bundleWorkflowCode({
      workflowsPath: ${JSON.stringify(workflowsPath)},
      logger: new DefaultLogger('ERROR'),
    }).then(({ code }) => process.stdout.write(code));`;
  const node = ['--require', 'tsx/cjs', '--eval', script];
  const { stdout } = await promisify(execFile)(process.execPath, node, { maxBuffer: 2 ** 28 });
  return stdout;
}

interface Workers {
  readonly connection: NativeConnection;
  readonly workflowBundle: WorkflowBundle;
  /** How many tables a batch has to load. */
  readonly tables: number;
}

/** With a worker of each role, which do nothing but say that they did. */
async function withWorkers<Result>(
  { connection, workflowBundle, tables }: Workers,
  body: () => Promise<Result>,
): Promise<Result> {
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
  try {
    return await body();
  } finally {
    for (const worker of workers) worker.shutdown();
    await Promise.all(runs);
  }
}

function medians(samples: readonly OrchestrationFigure[]): OrchestrationFigure {
  const of = (key: keyof OrchestrationFigure) => median(samples.map((sample) => sample[key]));
  return {
    tables: of('tables'),
    wallSeconds: of('wallSeconds'),
    workerCpuMsPerTable: of('workerCpuMsPerTable'),
    serverCpuMsPerTable: of('serverCpuMsPerTable'),
    peakMiB: of('peakMiB'),
  };
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
    peakMiB: process.resourceUsage().maxRSS / 1024,
  };
}
