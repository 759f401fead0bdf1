import type { Pipeline, Project, ScheduleSettings } from '../../pipeline/pipeline';
import type { TemporalClient } from '../../temporal/connection';
import { callTemporal } from '../../temporal/errors';
import {
  applySchedule,
  scheduledPipelines,
  scheduleId,
  type Application,
} from '../../temporal/schedules';
import { pipelinesOf } from '../options';

export interface ApplyResult {
  readonly applied: readonly Application[];
  /** Schedules on the server without a file that asks for them. */
  readonly orphans: readonly { readonly pipeline: string; readonly deleted: boolean }[];
}

export type ScheduledPipeline = Pipeline & { readonly schedule: ScheduleSettings };

/**
 * Applies the schedules of one pipeline or of all. Others that the server has are only named,
 * unless `prune` deletes them; with one pipeline, only that pipeline's own is looked at.
 */
export async function applySchedules(
  temporal: TemporalClient,
  project: Project,
  pipelineName: string | undefined,
  prune: boolean,
): Promise<ApplyResult> {
  const pipelines = pipelinesOf(project, pipelineName);
  const applied: Application[] = [];
  for (const pipeline of pipelines.filter(isScheduled)) {
    applied.push(await applySchedule(temporal, pipeline));
  }

  const wanted = new Set(applied.map(({ pipeline }) => pipeline));
  const candidates = await scheduledPipelines(temporal);
  const orphans = candidates.filter(
    (name) => !wanted.has(name) && (pipelineName === undefined || name === pipelineName),
  );
  if (prune) {
    for (const name of orphans) {
      await callTemporal(temporal, () =>
        temporal.client.schedule.getHandle(scheduleId(name)).delete(),
      );
    }
  }
  return { applied, orphans: orphans.map((pipeline) => ({ pipeline, deleted: prune })) };
}

export function isScheduled(pipeline: Pipeline): pipeline is ScheduledPipeline {
  return pipeline.schedule !== undefined;
}
