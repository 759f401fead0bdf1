import type { ScheduleDescription } from '@temporalio/client';
import type { Pipeline, Project } from '../../pipeline/pipeline';
import type { TemporalClient } from '../../temporal/connection';
import { callTemporal } from '../../temporal/errors';
import { cronOf, scheduleDifferences } from '../../temporal/schedule-differences';
import {
  describeSchedule,
  desiredSchedule,
  scheduledPipelines,
  scheduleId,
} from '../../temporal/schedules';
import { pipelinesOf } from '../options';
import { isScheduled } from './apply';

export interface ListedSchedule {
  readonly pipeline: string;
  /** `orphan`: on the server, and no file asks for it. */
  readonly state: 'active' | 'paused' | 'not applied' | 'orphan';
  readonly note?: string;
  readonly cron: string;
  readonly timeZone?: string;
  /** Between the server and the file; `apply` removes them. */
  readonly differences: readonly string[];
  /** UTC, ISO 8601. */
  readonly next?: string;
  readonly last?: string;
  /** Runs left out because the one before still ran. */
  readonly skippedByOverlap?: number;
  readonly missedCatchUp?: number;
}

/** The schedules that the files ask for and those that the server has, by pipeline. */
export async function listSchedules(
  temporal: TemporalClient,
  project: Project,
  pipelineName: string | undefined,
): Promise<readonly ListedSchedule[]> {
  const known = new Map(
    pipelinesOf(project, pipelineName).map((pipeline) => [pipeline.name, pipeline] as const),
  );
  const asked = [...known.values()].filter(isScheduled).map(({ name }) => name);
  const present = (await scheduledPipelines(temporal)).filter(
    (name) => pipelineName === undefined || name === pipelineName,
  );
  const names = [...new Set([...asked, ...present])].sort();
  const listed: ListedSchedule[] = [];
  for (const name of names) {
    const handle = temporal.client.schedule.getHandle(scheduleId(name));
    const description = await callTemporal(temporal, () => describeSchedule(handle));
    listed.push(...listedSchedule(name, known.get(name), description));
  }
  return listed;
}

function listedSchedule(
  name: string,
  pipeline: Pipeline | undefined,
  description: ScheduleDescription | undefined,
): ListedSchedule[] {
  const scheduled = pipeline !== undefined && isScheduled(pipeline) ? pipeline : undefined;
  if (description === undefined) {
    if (scheduled === undefined) return [];
    const { cron, timeZone } = scheduled.schedule;
    const state = 'not applied' as const;
    return [{ pipeline: name, state, cron: cron.join('; '), timeZone, differences: [] }];
  }
  const { state, spec, info } = description;
  return [
    {
      pipeline: name,
      state: scheduled === undefined ? 'orphan' : state.paused ? 'paused' : 'active',
      note: state.paused ? state.note || 'paused' : undefined,
      cron: cronOf(description),
      timeZone: spec.timezone,
      differences:
        scheduled === undefined ? [] : scheduleDifferences(description, desiredSchedule(scheduled)),
      next: state.paused ? undefined : info.nextActionTimes[0]?.toISOString(),
      last: info.recentActions.at(-1)?.takenAt.toISOString(),
      skippedByOverlap: info.numActionsSkippedOverlap,
      missedCatchUp: info.numActionsMissedCatchupWindow,
    },
  ];
}
