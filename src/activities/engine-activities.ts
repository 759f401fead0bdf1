import type { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { RunIdentity } from '../destinations/destination';
import { destinationEndpoint, sourceEndpoint } from '../endpoints';
import type { LoadProgress } from '../engines/engine';
import { Patience, pauseFor } from '../engines/jobs/patience';
import { loadTable } from '../load/load-table';
import { entityOf } from '../pipeline/entity';
import type { Pipeline, TableSettings } from '../pipeline/pipeline';
import { settingsFor } from '../pipeline/settings';
import { ComportaError } from '../errors';
import type { Source } from '../sources/source';
import {
  ENGINE_CHANGED,
  engineTaskQueue,
  type EngineActivities,
  type IngestTableInput,
} from '../workflows/api';
import { findPipeline, type ActivityDependencies } from './activities';
import { speakTemporal } from './failures';
import { withHeartbeat } from './heartbeat';
import { logFields } from './log-fields';
import { runId } from './run-identity';

const STARTING: LoadProgress = { phase: 'connecting', rows: 0, bytes: 0 };

const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;

/** The activity of an engine's role: everything about one table's load but its scheduling. */
export function createEngineActivities(deps: ActivityDependencies): EngineActivities {
  return {
    loadTable: (input) => {
      const context = deps.context();
      return speakTemporal(
        context,
        () =>
          withHeartbeat(context, STARTING, async (report) => {
            const { project, pipeline } = await findPipeline(deps, input.pipeline);
            const settings = settingsFor(pipeline, input.table);
            assertEngine(input, settings);
            const source = deps.resources.source(project, pipeline);
            const identity = identityOf(context, input, pipeline, source);
            const log = deps.log.child(logFields(context.info.workflowExecution, input));
            const { workflowId, runId: workflowRunId } = executionOf(context);
            const history = await deps.resources.history(project);
            const result = await loadTable(
              {
                pipeline,
                source,
                destination: deps.resources.destination(project, pipeline),
                history,
                places: deps.resources.places(project, pipeline, history),
                endpoints: {
                  source: sourceEndpoint(project, pipeline),
                  destination: destinationEndpoint(project, pipeline),
                },
                engine: deps.resources.engine(project, pipeline, settings),
                now: deps.now,
                report,
                warn: (message) => log.warn(message),
                tracer: deps.tracer,
                signal: context.cancellationSignal,
              },
              {
                identity,
                decision: input.decision ?? { verdict: 'forced', reason: 'started by hand' },
                workflowId,
                workflowRunId,
              },
            );
            // Its run is among the fields of the child already.
            log.info({ ...result, run: undefined }, 'loaded');
            deps.metrics.loaded({ ...result, pipeline: input.pipeline, engine: settings.engine });
            deps.metrics.verified(input.pipeline, [
              { table: input.table, at: new Date(deps.now().getTime() - result.durationMs) },
            ]);
            return result;
          }),
        pauseAfter,
      );
    },

    deleteCluster: ({ pipeline: name, batch, connection }) => {
      const context = deps.context();
      return speakTemporal(context, () =>
        withHeartbeat(context, 'at work', async (report: (state: string) => void) => {
          const { project } = await findPipeline(deps, name);
          const clusters = deps.resources.ephemeralClusters(project, connection);
          const patience = new Patience(pauseFor, context.cancellationSignal, report);
          await clusters.remove({ pipeline: name, batch }, patience);
        }),
      );
    },
  };
}

/**
 * What failed is left alone for 2, 4, 8, … seconds. The load of a worker that died did not fail: it
 * goes on as soon as Temporal has noticed, by the workflow's retry policy.
 */
function pauseAfter(attempt: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), LONGEST_PAUSE_MS);
}

/** The table may have another engine since the load was planned, which this worker may not have. */
function assertEngine({ load }: IngestTableInput, { engine }: TableSettings): void {
  const taskQueue = engineTaskQueue(engine);
  if (load?.taskQueue === undefined || load.taskQueue === taskQueue) return;
  throw ApplicationFailure.create({
    message: `the table is loaded by the engine ${engine} now, and not on the task queue ${load.taskQueue}`,
    type: ENGINE_CHANGED,
    nonRetryable: true,
    details: [taskQueue],
  });
}

function executionOf(context: Context): { workflowId: string; runId: string } {
  const execution = context.info.workflowExecution;
  if (execution === undefined) {
    throw new ComportaError('ConfigurationInvalid', 'loadTable runs inside a workflow only', {
      remedy: 'start the ingestTable workflow',
    });
  }
  return execution;
}

function identityOf(
  context: Context,
  { pipeline: name, table, batch }: IngestTableInput,
  pipeline: Pipeline,
  source: Source,
): RunIdentity {
  const execution = executionOf(context);
  return {
    pipeline: name,
    domain: pipeline.domain,
    entity: entityOf(table, source.dialect),
    table,
    batch,
    run: runId(batch, execution.workflowId, execution.runId),
    attempt: context.info.attempt,
    // The schedule time of the activity, not of the attempt: retries after midnight stay together.
    ingestionDate: new Date(context.info.scheduledTimestampMs).toISOString().slice(0, 10),
  };
}
