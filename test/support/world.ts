import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { pino } from 'pino';
import type { TemporalFacts } from '../../scripts/services/temporal';
import type { History } from '../../src/history/history';
import { NO_METRICS } from '../../src/metrics/metrics';
import type { Project } from '../../src/pipeline/pipeline';
import { createResources } from '../../src/resources';
import type { Role } from '../../src/worker/options';
import { createProjectLoader } from '../../src/worker/project-loader';
import { createWorkers, runWorkers } from '../../src/worker/run-worker';
import {
  CONTROL_TASK_QUEUE,
  controllerWorkflowId,
  type BatchSummary,
  type ControllerInput,
} from '../../src/workflows/api';
import type { controller } from '../../src/workflows';
import { connectClient, workflowBundle } from './workflow-worker';

/** A project folder, a worker on it and a client: Comporta as it runs, inside one test. */
export interface World {
  readonly client: Client;
  /** Root of the lake (the `lake` connection's path). */
  readonly lake: string;
  /** Folder of the pipeline files, to be edited in mid-test. */
  readonly pipelines: string;
  /** Everything that the worker logged, as it came. */
  readonly logged: string[];
  history(): Promise<History>;
  /** What the pipeline files say now. */
  project(): Promise<Project>;
  /** Runs a controller to its end; rejects as the workflow does. */
  run(input: ControllerInput & { readonly batch: string }): Promise<BatchSummary>;
  /** Stops the worker and deletes the folders. */
  close(): Promise<void>;
}

export interface WorldOptions {
  /** File name to YAML text; `connections.yaml` must name a `lake` of `path: ../lake`. */
  readonly files?: Readonly<Record<string, string>>;
  /** Instead of files: the file of a project that ships. Nothing of it is changed. */
  readonly project?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Loads at a time. Default: 4. */
  readonly maxLoads?: number;
  /** Default: `control` and `embedded`. */
  readonly roles?: readonly Role[];
  /** For the role `spark`. */
  readonly sparkSubmit?: string;
  /** The worker's clock. Default: the machine's. */
  readonly now?: () => Date;
  /** Default: the shared server, which has no Web UI. */
  readonly temporal?: Pick<TemporalFacts, 'address' | 'namespace'>;
}

/** Only one at a time per process: the task queues are the real ones. */
export async function startWorld({
  files = {},
  project,
  environment = {},
  maxLoads = 4,
  roles = ['control', 'embedded'],
  sparkSubmit = 'spark-submit',
  now = () => new Date(),
  temporal,
}: WorldOptions): Promise<World> {
  const root = await mkdtemp(join(tmpdir(), 'comporta-world-'));
  const pipelines = project ?? join(root, 'pipelines');
  await mkdir(join(root, 'pipelines'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(pipelines, name), text);

  const { client, address } = await connectClient(temporal);
  const connection = await NativeConnection.connect({ address });
  const allVariables = { ...process.env, ...environment };
  const resources = createResources(allVariables, { sparkSubmit });
  const loadProject = createProjectLoader(pipelines, allVariables);
  const logged: string[] = [];
  const { ended, stop } = runWorkers(
    await createWorkers({
      connection,
      namespace: client.options.namespace,
      roles,
      maxLoads,
      workflows: { workflowBundle: await workflowBundle() },
      loadProject,
      resources,
      log: pino({ level: 'debug' }, { write: (line: string) => logged.push(line) }),
      metrics: NO_METRICS,
      linkTo: (id) => `http://web.ui/${id}`,
      now,
    }),
  );
  return {
    client,
    lake: join(root, 'lake'),
    pipelines,
    logged,
    project: loadProject,
    history: async () => resources.history(await loadProject()),
    run: (input) =>
      client.workflow.execute<typeof controller>('controller', {
        workflowId: controllerWorkflowId(input.pipeline, input.batch),
        taskQueue: CONTROL_TASK_QUEUE,
        args: [input],
      }),
    async close() {
      stop();
      await ended;
      await resources.close();
      await connection.close();
      await client.connection.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}
