import { eventId, type HistoryEvent } from '../history/history';
import { compose } from '../notify/compose';
import { deliver, readTold } from '../notify/deliver';
import type { Metrics } from '../metrics/metrics';
import { makePlan } from '../plan/make-plan';
import type { Plan } from '../plan/plan';
import { settlePlan } from '../plan/settle-plan';
import { summarize } from '../plan/summarize';
import type {
  ControlActivities,
  PlanLoadRequest,
  PlannedLoad,
  PlanSummary,
} from '../workflows/api';
import { ComportaError, messageOf } from '../errors';
import { entityOf } from '../pipeline/entity';
import type { Destination } from '../destinations/destination';
import { clustersOf } from '../pipeline/clusters-of';
import { settingsFor } from '../pipeline/settings';
import { findPipeline, type ActivityDependencies } from './activities';
import { speakTemporal } from './failures';
import { withHeartbeat } from './heartbeat';
import { logFields } from './log-fields';
import { runId } from './run-identity';

/** The activities of the `control` role: planning and bookkeeping; no rows pass through here. */
export function createControlActivities(deps: ActivityDependencies): ControlActivities {
  const open = async (name: string) => {
    const { project, pipeline } = await findPipeline(deps, name);
    return {
      project,
      pipeline,
      source: deps.resources.source(project, pipeline),
      destination: deps.resources.destination(project, pipeline),
      history: await deps.resources.history(project),
    };
  };

  const run = <Result>(body: () => Promise<Result>) => {
    const context = deps.context();
    return speakTemporal(context, () => withHeartbeat(context, 'at work', body));
  };

  return {
    planLoad: (request) =>
      run(async () => {
        const opened = await open(request.pipeline);
        const workflowRun = deps.context().info.workflowExecution?.runId ?? '';
        const { plan, path } = await settlePlan(
          opened.destination,
          { ...request, workflowRun },
          async () => {
            const [made, gap] = await Promise.all([
              makePlan({ ...opened, now: deps.now }, request),
              noteGap(deps, request),
            ]);
            return { ...made, warnings: [...made.warnings, ...gap] };
          },
        );
        await opened.history.append(skipEvents(plan));
        reportPlan(deps.metrics, plan, request.scheduledFor);
        const fields = logFields(deps.context().info.workflowExecution, plan);
        for (const warning of plan.warnings) deps.log.warn(fields, warning);
        const clusters = clustersOf(
          opened,
          plan.loads.map(({ table }) => table),
        );
        return {
          ...summaryOf(plan, path),
          ...(opened.pipeline.notify && { notify: true }),
          ...(clusters.length > 0 && { clusters }),
          firstPage: pageOf(plan, 0, request.pageSize),
        };
      }),

    readPlanPage: ({ plan, offset, limit }) =>
      run(async () => {
        const { destination } = await open(plan.pipeline);
        return pageOf(await readPlan(destination, plan), offset, limit);
      }),

    recordFailure: (request) =>
      run(async () => {
        const { history, pipeline, source, destination } = await open(request.pipeline);
        const { workflowExecution } = deps.context().info;
        const { workflowId, runId: workflowRunId } = workflowExecution ?? {
          workflowId: '',
          runId: '',
        };
        const run = runId(request.batch, workflowId, workflowRunId);
        const settings = settingsFor(pipeline, request.table);
        const now = deps.now().toISOString();
        const event: HistoryEvent = {
          id: eventId({ kind: 'FAILED', ...request, scope: run }),
          kind: 'FAILED',
          recordedAt: now,
          pipeline: request.pipeline,
          table: request.table,
          batch: request.batch,
          run,
          mode: settings.mode,
          engine: settings.engine,
          verdict: request.decision?.verdict ?? 'forced',
          reason: request.decision?.reason ?? 'started by hand',
          endedAt: now,
          errorCode: request.code,
          error: request.message,
          workflowId,
          workflowRunId,
        };
        await history.append([event]);
        await discardChunks(destination, {
          domain: pipeline.domain,
          entity: entityOf(request.table, source.dialect),
          run,
          code: request.code,
          warn: (message) => deps.log.warn(logFields(workflowExecution, request), message),
        });
        deps.metrics.failed({ pipeline: request.pipeline, code: request.code });
      }),

    recordLeftOut: ({ pipeline: name, batch, tables }) =>
      run(async () => {
        const { history } = await open(name);
        const recordedAt = deps.now().toISOString();
        await history.append(
          tables.map(({ table, reason, load }) => ({
            id: eventId({ kind: 'SKIPPED', pipeline: name, table, scope: batch }),
            ...{ kind: 'SKIPPED', recordedAt, pipeline: name, table, batch, run: '' },
            ...{ verdict: load.decision.verdict, reason },
          })),
        );
      }),

    summarizeBatch: (summary) =>
      run(async () => {
        const { destination, history } = await open(summary.pipeline);
        const plan = await readPlan(destination, summary);
        const outcomes = await history.outcomes(summary.pipeline, summary.batch);
        return summarize(plan, summary.path, outcomes);
      }),

    notifyBatch: (summary) =>
      run(async () => {
        const { project, pipeline, destination, history } = await open(summary.pipeline);
        if (pipeline.notify === undefined) return;
        const { freshnessMs } = pipeline.notify;
        const { workflowExecution } = deps.context().info;
        const link = deps.linkTo(workflowExecution?.workflowId ?? '');
        const fields = logFields(workflowExecution, summary);
        await deliver(
          {
            documents: destination,
            notifiers: deps.resources.notifiers(project, pipeline),
            warn: (message) => deps.log.warn(fields, message),
          },
          summary,
          async () => {
            const plan = await readPlan(destination, summary);
            const outcomes = await history.outcomes(summary.pipeline, summary.batch);
            return compose({
              summary: summarize(plan, summary.path, outcomes),
              outcomes,
              states: await history.states(summary.pipeline),
              planned: [...plan.loads, ...plan.skips].map(({ table }) => table),
              told: await readTold(destination, summary.pipeline),
              freshnessMs,
              now: deps.now(),
              ...(link === undefined ? {} : { link }),
            });
          },
        );
      }),
  };
}

/** Runs that a schedule leaves out are silent, so the next one says that they are missing. */
async function noteGap(
  { missedRuns, log, context }: ActivityDependencies,
  request: PlanLoadRequest,
): Promise<readonly string[]> {
  const { pipeline, scheduledFor } = request;
  if (scheduledFor === undefined) return [];
  try {
    const missed = await missedRuns(pipeline, new Date(scheduledFor));
    return missed.length === 0 ? [] : [gapIn(missed)];
  } catch (error) {
    const fields = logFields(context().info.workflowExecution, request);
    log.warn(fields, `whether runs were missed is not known: ${messageOf(error)}`);
    return [];
  }
}

function gapIn(missed: readonly Date[]): string {
  const [first, last] = [missed[0], missed.at(-1)].map((time) => time?.toISOString());
  const when = first === last ? first : `from ${first} to ${last}`;
  return `${missed.length} of the schedule's runs did not take place, ${when}: the batch before was still at work, the schedule was paused, or Temporal was down`;
}

/**
 * No attempt goes on with the chunks of a failed load. Where the lake itself failed it is left
 * alone: the record is not to wait for it, and a later load clears up.
 */
async function discardChunks(
  destination: Destination,
  {
    code,
    warn,
    ...run
  }: {
    readonly domain: string;
    readonly entity: string;
    readonly run: string;
    readonly code: string;
    readonly warn: (message: string) => void;
  },
): Promise<void> {
  if (code === 'DestinationFailed') return;
  await destination.discardRun(run).catch((error: unknown) => {
    warn(`staged files of a failed load could not be removed: ${messageOf(error)}`);
  });
}

function reportPlan(metrics: Metrics, plan: Plan, scheduledFor: string | undefined): void {
  const plannedAt = new Date(plan.plannedAt);
  metrics.planned({
    pipeline: plan.pipeline,
    plannedAt,
    toLoad: plan.loads.length,
    skipped: plan.skips.length,
    ...(scheduledFor === undefined ? {} : { scheduledFor: new Date(scheduledFor) }),
  });
  metrics.verified(
    plan.pipeline,
    plan.skips.map(({ table }) => ({ table, at: plannedAt })),
  );
}

function summaryOf(plan: Plan, path: string): PlanSummary {
  return {
    pipeline: plan.pipeline,
    batch: plan.batch,
    path,
    considered: plan.loads.length + plan.skips.length,
    toLoad: plan.loads.length,
    skipped: plan.skips.length,
    concurrency: plan.concurrency,
  };
}

function pageOf({ loads }: Plan, offset: number, limit: number): readonly PlannedLoad[] {
  return loads
    .slice(offset, offset + limit)
    .map(({ table, decision, load }) => ({ table, decision, load }));
}

/** A skipped table leaves its proof, so that "why was this not loaded?" has an answer. */
function skipEvents(plan: Plan): HistoryEvent[] {
  return plan.skips.map(({ table, decision }) => ({
    id: eventId({ kind: 'SKIPPED', pipeline: plan.pipeline, table, scope: plan.batch }),
    kind: 'SKIPPED',
    recordedAt: plan.plannedAt,
    pipeline: plan.pipeline,
    table,
    batch: plan.batch,
    run: '',
    verdict: decision.verdict,
    reason: decision.reason,
  }));
}

async function readPlan(destination: Destination, { pipeline, path }: PlanSummary): Promise<Plan> {
  const plan = await destination.getDocument(path);
  if (plan === undefined) {
    throw new ComportaError('DestinationFailed', `the plan ${path} is gone from the lake`, {
      pipeline,
      remedy: 'trigger a new batch',
    });
  }
  return plan as Plan;
}
