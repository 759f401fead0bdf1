import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Destination } from './destinations/destination';
import {
  checkPlatform,
  clustersEndpoint,
  destinationEndpoint,
  openClusters,
  openDestination,
  openJobRunner,
  openNotifier,
  openSource,
  platformEndpoint,
  sourceEndpoint,
  type DestinationEndpoint,
  type SourceEndpoint,
} from './endpoints';
import type { EphemeralClusters } from './engines/dataproc/ephemeral-clusters';
import { createEmbeddedEngine } from './engines/embedded/embedded-engine';
import type { Engine } from './engines/engine';
import type { PlatformReport } from './engines/jobs/platform-report';
import { createLocalRunner } from './engines/spark/local-runner';
import type { JobRunner } from './engines/spark/job-runner';
import { createSparkEngine, type SparkEngineOptions } from './engines/spark/spark-engine';
import type { History } from './history/history';
import { openHistory } from './history/open';
import { createSourcePlaces, type SourcePlaces } from './load/source-places';
import type { Notifier } from './notify/notice';
import type { HistorySettings, Pipeline, Project, TableSettings } from './pipeline/pipeline';
import { createSecretStore } from './secrets/secret-stores';
import { gatheringSource } from './sources/gathering';
import type { Source } from './sources/source';
import { isCancelRequest } from './temporal/cancellation';

/** The job of the engines that use Spark: beside src/, and beside dist/src/ after a build. */
const JOB_SCRIPT = join(__dirname, '../jobs/ingest_table.py');

export interface ResourceOptions {
  /** Threads of the embedded engine at most. Default: as many as there are cores. */
  readonly threads?: number;
  /** The engine `spark`: spark-submit and its own options. Default: `spark-submit`. */
  readonly sparkSubmit?: string;
}

/**
 * The servers that a project's pipelines use, opened on first use and shared after that. Keyed by
 * the settings themselves, so that an edited connection opens anew while loads that began under
 * the old one finish there.
 */
export interface Resources {
  source(project: Project, pipeline: Pipeline): Source;
  destination(project: Project, pipeline: Pipeline): Destination;
  history(project: Project): Promise<History>;
  /** Those of the pipeline's source; undefined where its connection has no limit. */
  places(project: Project, pipeline: Pipeline, history: History): SourcePlaces | undefined;
  /** The channels of a pipeline, by the names of their connections. */
  notifiers(project: Project, pipeline: Pipeline): ReadonlyMap<string, Notifier>;
  /** Moves rows; nothing of it runs before its first move. */
  engine(project: Project, pipeline: Pipeline, settings: TableSettings): Engine;
  /** Looks at a platform that the pipeline names; nothing is kept open. */
  checkPlatform(project: Project, pipeline: Pipeline, connection: string): Promise<PlatformReport>;
  /** The clusters that a connection makes for batches. */
  ephemeralClusters(project: Project, connection: string): EphemeralClusters;
  close(): Promise<void>;
}

/** `environment` is where `env:` secrets are, for this thread and for the engine's own. */
export function createResources(
  environment: NodeJS.ProcessEnv,
  options: ResourceOptions = {},
): Resources {
  const secrets = createSecretStore(environment);
  const sources = new Map<string, Source>();
  const destinations = new Map<string, Destination>();
  const sourceAt = (endpoint: SourceEndpoint) =>
    remembered(sources, endpoint, () => gatheringSource(openSource(endpoint, secrets)));
  const destinationAt = (endpoint: DestinationEndpoint) =>
    remembered(destinations, endpoint, () => openDestination(endpoint, secrets));
  const sparkEngine = (name: SparkEngineOptions['name'], runner: JobRunner) =>
    createSparkEngine({
      ...{ name, runner, source: sourceAt, destination: destinationAt },
      script: JOB_SCRIPT,
      shouldCancel: isCancelRequest,
    });
  const embedded = createEmbeddedEngine(environment, options);
  const spark = sparkEngine(
    'spark',
    createLocalRunner({
      environment,
      ...(options.sparkSubmit === undefined ? {} : { submit: options.sparkSubmit }),
    }),
  );
  const platforms = new Map<string, Engine>();
  const clusters = new Map<string, EphemeralClusters>();
  const histories = new Map<string, { readonly store: History; readonly file: string }>();
  const places = new Map<History, Map<string, SourcePlaces>>();
  const replaced: History[] = [];
  let lastHistory: Promise<unknown> = Promise.resolve();

  const openHistoryOnce = async (project: Project): Promise<History> => {
    const settings = JSON.stringify(project.history);
    const known = histories.get(settings);
    if (known !== undefined && known.file === (await fileIdentity(project.history))) {
      return known.store;
    }
    const store = await openHistory(project.history, project.connections, secrets);
    histories.set(settings, { store, file: await fileIdentity(project.history) });
    // Loads that began on the old file may still use it: it is closed at the end, with the others.
    if (known !== undefined) replaced.push(known.store);
    return store;
  };

  return {
    source: (project, pipeline) => sourceAt(sourceEndpoint(project, pipeline)),
    destination: (project, pipeline) => destinationAt(destinationEndpoint(project, pipeline)),
    places(project, pipeline, history) {
      const { name: connection, maxParallelLoads: limit } = sourceEndpoint(
        project,
        pipeline,
      ).connection;
      if (limit === undefined) return undefined;
      const ofHistory = places.get(history) ?? new Map<string, SourcePlaces>();
      places.set(history, ofHistory);
      const settings = { connection, limit };
      return remembered(ofHistory, settings, () => createSourcePlaces(history, settings));
    },
    notifiers: (project, { notify }) =>
      new Map(
        (notify?.to ?? []).map((name) => [name, openNotifier(project, name, secrets)] as const),
      ),
    engine(project, pipeline, { engine: name, platform }) {
      switch (name) {
        case 'embedded':
          return embedded;
        case 'spark':
          return spark;
        case 'dataproc':
        case 'glue': {
          const endpoint = platformEndpoint(project, pipeline, { engine: name, platform });
          return remembered(platforms, endpoint, () =>
            sparkEngine(name, openJobRunner(endpoint, secrets)),
          );
        }
      }
    },
    checkPlatform: (project, pipeline, name) => checkPlatform(project, pipeline, name, secrets),
    ephemeralClusters(project, name) {
      const endpoint = clustersEndpoint(project, name);
      return remembered(clusters, endpoint, () => openClusters(endpoint));
    },
    history: (project) => {
      // One after the other, so that loads that start together do not each open the store.
      const result = lastHistory.then(() => openHistoryOnce(project));
      lastHistory = result.catch(() => undefined);
      return result;
    },
    async close() {
      const engines = [embedded, spark, ...platforms.values()];
      await Promise.all(engines.map((engine) => engine.close()));
      const known = [...places.values()].flatMap((ofHistory) => [...ofHistory.values()]);
      await Promise.all(known.map((one) => one.close()));
      await Promise.allSettled([
        ...[...sources.values()].map((source) => source.close()),
        ...[...destinations.values()].map((destination) => destination.close()),
        ...[...histories.values()].map(({ store }) => store.close()),
        ...replaced.map((store) => store.close()),
        ...[...clusters.values()].map((opened) => opened.close()),
      ]);
    },
  };
}

/**
 * Which file a SQLite history is, so that one deleted or restored under a running worker is opened
 * anew: what is written to a deleted file is lost. Empty where there is no file.
 */
async function fileIdentity(settings: HistorySettings): Promise<string> {
  if (settings.type !== 'sqlite') return '';
  const found = await stat(settings.path).catch(() => undefined);
  return found === undefined ? 'absent' : `${found.dev}:${found.ino}`;
}

function remembered<Value>(known: Map<string, Value>, settings: unknown, open: () => Value): Value {
  const key = JSON.stringify(settings);
  let value = known.get(key);
  if (value === undefined) {
    value = open();
    known.set(key, value);
  }
  return value;
}
