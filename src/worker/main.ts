import { join } from 'node:path';
import {
  makeTelemetryFilterString,
  NativeConnection,
  Runtime,
  type TelemetryOptions,
  type WorkerOptions,
} from '@temporalio/worker';
import { pino, stdSerializers } from 'pino';
import { exitCodeOf } from '../client/exit-codes';
import { messageOf } from '../errors';
import { createSecretStore } from '../secrets/secret-stores';
import { createResources } from '../resources';
import { connectClient, loadTemporalOptions } from '../temporal/connection';
import { loadEncryption } from '../temporal/encryption';
import { NO_METRICS } from '../metrics/metrics';
import { keepFreshnessKnown } from '../metrics/refresh';
import { createTemporalMetrics } from '../metrics/temporal-metrics';
import { startHealthServer } from './health';
import { liveChecks, readyChecks } from './health-checks';
import { webUiAddress, workflowLink } from '../temporal/web-ui';
import { openTracing } from '../tracing/tracing';
import { parseWorkerOptions, type ListenAddress } from './options';
import { createProjectLoader } from './project-loader';
import { createWorkers, runWorkers } from './run-worker';
import { registerSearchAttributes } from './search-attributes';
import { temporalLogger } from './temporal-logger';

async function main(): Promise<void> {
  const settings = parseWorkerOptions(process.argv.slice(2), process.env);
  const tracing = openTracing(process.env);
  const log = pino(
    {
      level: settings.logLevel,
      base: { service: 'comporta' },
      // The SDK's name for what pino calls `err`.
      serializers: { error: stdSerializers.err },
      ...(tracing && { mixin: tracing.logFields }),
    },
    process.stderr,
  );
  Runtime.install({
    logger: temporalLogger(log),
    telemetryOptions: {
      logging: { filter: makeTelemetryFilterString({ core: 'ERROR' }) },
      ...metricsOptions(settings.metrics),
    },
    shutdownSignals: [],
  });

  const loadProject = createProjectLoader(settings.pipelines, process.env);
  const project = await loadProject();
  const options = loadTemporalOptions(process.env);
  const codec = await loadEncryption(process.env, createSecretStore(process.env));
  // The client explains a server that cannot be reached better than the worker's connection does.
  const client = await connectClient(options);
  await registerSearchAttributes(client.client.connection, options.namespace);
  await client.close();

  const webUi = webUiAddress(undefined, process.env, options.address);
  const connection = await NativeConnection.connect(options.connection);
  const resources = createResources(process.env, {
    threads: settings.threads,
    sparkSubmit: settings.sparkSubmit,
  });
  const metrics =
    settings.metrics === undefined
      ? NO_METRICS
      : createTemporalMetrics(Runtime.instance().metricMeter);
  const closing: (() => void | Promise<void>)[] = [];
  try {
    const workers = await createWorkers({
      connection,
      codec,
      namespace: options.namespace,
      roles: settings.roles,
      maxLoads: settings.maxLoads,
      tracing,
      workflows: workflowCode(tracing !== undefined),
      loadProject,
      resources,
      log,
      metrics,
      now: () => new Date(),
      linkTo: (id) =>
        webUi === undefined ? undefined : workflowLink(webUi, options.namespace, id),
    });
    const running = runWorkers(workers);
    if (settings.metrics !== undefined && settings.roles.includes('control')) {
      closing.push(keepFreshnessKnown({ loadProject, resources, metrics, log }));
    }
    if (settings.health !== undefined) {
      const subjects = { workers, connection, loadProject, resources };
      const health = await startHealthServer({
        address: settings.health,
        live: liveChecks(subjects),
        ready: readyChecks(subjects),
      });
      closing.push(() => health.close());
    }
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
    for (const close of closing) await close();
    await resources.close();
    await connection.close();
    await tracing?.close();
  }
  log.info('stopped');
}

/** Prometheus's own conventions: `_total` behind counters, durations in seconds. */
function metricsOptions(address: ListenAddress | undefined): Pick<TelemetryOptions, 'metrics'> {
  if (address === undefined) return {};
  const { host, port } = address;
  const bindAddress = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return {
    metrics: {
      prometheus: { bindAddress, countersTotalSuffix: true, useSecondsForDurations: true },
    },
  };
}

/** A bundle that `npm run build` left beside the compiled code, or the source, bundled now. */
function workflowCode(isTraced: boolean): Pick<WorkerOptions, 'workflowsPath' | 'workflowBundle'> {
  const bundle = isTraced ? 'workflow-bundle-traced.js' : 'workflow-bundle.js';
  return __filename.endsWith('.js')
    ? { workflowBundle: { codePath: join(__dirname, '..', bundle) } }
    : { workflowsPath: join(__dirname, '..', 'workflows') };
}

main().catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(exitCodeOf(error));
});
