import { join } from 'node:path';
import {
  makeTelemetryFilterString,
  NativeConnection,
  Runtime,
  type WorkerOptions,
} from '@temporalio/worker';
import { pino } from 'pino';
import { exitCodeOf } from '../client/exit-codes';
import { messageOf } from '../errors';
import { createResources } from '../resources';
import { connectClient, loadTemporalOptions } from '../temporal/connection';
import { parseWorkerOptions } from './options';
import { createProjectLoader } from './project-loader';
import { createWorkers, runWorkers } from './run-worker';
import { registerSearchAttributes } from './search-attributes';
import { temporalLogger } from './temporal-logger';

async function main(): Promise<void> {
  const settings = parseWorkerOptions(process.argv.slice(2), process.env);
  const log = pino({ level: settings.logLevel, base: { service: 'comporta' } }, process.stderr);
  Runtime.install({
    logger: temporalLogger(log),
    telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR' }) } },
    shutdownSignals: [],
  });

  const loadProject = createProjectLoader(settings.pipelines, process.env);
  const project = await loadProject();
  const options = loadTemporalOptions(process.env);
  // The client explains a server that cannot be reached better than the worker's connection does.
  const client = await connectClient(options);
  await registerSearchAttributes(client.client.connection, options.namespace);
  await client.close();

  const connection = await NativeConnection.connect(options.connection);
  const resources = createResources(process.env, { threads: settings.threads });
  try {
    const workers = await createWorkers({
      connection,
      namespace: options.namespace,
      roles: settings.roles,
      maxLoads: settings.maxLoads,
      workflows: workflowCode(),
      loadProject,
      resources,
      log,
      now: () => new Date(),
    });
    const running = runWorkers(workers);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        log.info({ signal }, 'stopping');
        running.stop();
      });
    }
    log.info(
      {
        roles: settings.roles,
        temporal: options.address,
        namespace: options.namespace,
        pipelines: [...project.pipelines.keys()],
      },
      'ready',
    );
    await running.ended;
  } finally {
    await resources.close();
    await connection.close();
  }
  log.info('stopped');
}

/** The bundle that `npm run build` left beside the compiled code, or the source, bundled now. */
function workflowCode(): Pick<WorkerOptions, 'workflowsPath' | 'workflowBundle'> {
  return __filename.endsWith('.js')
    ? { workflowBundle: { codePath: join(__dirname, '..', 'workflow-bundle.js') } }
    : { workflowsPath: join(__dirname, '..', 'workflows') };
}

main().catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(exitCodeOf(error));
});
