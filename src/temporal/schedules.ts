import {
  ScheduleNotFoundError,
  type ScheduleDescription,
  type ScheduleHandle,
  type ScheduleOptions,
  type ScheduleUpdateOptions,
} from '@temporalio/client';
import type { Pipeline, ScheduleSettings } from '../pipeline/pipeline';
import { CONTROL_TASK_QUEUE, type ControllerInput } from '../workflows/api';
import { callTemporal } from './errors';
import type { TemporalClient } from './connection';
import { scheduleDifferences } from './schedule-differences';
import { PAUSED_BY_FILE, pauseOf } from './schedule-pause';

const PREFIX = 'comporta/';

export function scheduleId(pipeline: string): string {
  return `${PREFIX}${pipeline}`;
}

const OVERLAP = {
  skip: 'SKIP',
  bufferOne: 'BUFFER_ONE',
  cancelOther: 'CANCEL_OTHER',
  terminateOther: 'TERMINATE_OTHER',
  allowAll: 'ALLOW_ALL',
} as const satisfies Record<ScheduleSettings['overlap'], string>;

/** The schedule that a pipeline's file asks for. */
export function desiredSchedule(
  pipeline: Pipeline & { readonly schedule: ScheduleSettings },
): ScheduleOptions {
  const { name, schedule } = pipeline;
  const input: ControllerInput = { pipeline: name };
  return {
    scheduleId: scheduleId(name),
    spec: {
      // Temporal keeps calendars, not expressions, and with them what follows a `#` as a comment:
      // it shows the expression in the Web UI, and an edited file is told from an equal one by it.
      cronExpressions: schedule.cron.map((expression) => `${expression} # ${expression}`),
      timezone: schedule.timeZone,
    },
    action: {
      type: 'startWorkflow',
      workflowType: 'controller',
      // Temporal appends the time of the run.
      workflowId: `controller/${name}`,
      taskQueue: CONTROL_TASK_QUEUE,
      args: [input],
    },
    policies: {
      overlap: OVERLAP[schedule.overlap],
      catchupWindow: schedule.catchUpMs,
      pauseOnFailure: false,
    },
    state: { paused: schedule.paused, ...(schedule.paused ? { note: PAUSED_BY_FILE } : {}) },
  };
}

export type Application =
  | { readonly pipeline: string; readonly change: 'created' | 'unchanged' }
  | {
      readonly pipeline: string;
      readonly change: 'updated';
      readonly differences: readonly string[];
    };

/**
 * Makes the schedule of a pipeline what its file says: creates it, updates it where it differs,
 * leaves an equal one alone. A schedule that a person paused stays paused.
 */
export async function applySchedule(
  temporal: TemporalClient,
  pipeline: Pipeline & { readonly schedule: ScheduleSettings },
): Promise<Application> {
  const desired = desiredSchedule(pipeline);
  const { name } = pipeline;
  return callTemporal(temporal, async () => {
    const handle = temporal.client.schedule.getHandle(desired.scheduleId);
    const present = await describeSchedule(handle);
    if (present === undefined) {
      await temporal.client.schedule.create(desired);
      return { pipeline: name, change: 'created' };
    }
    const differences = scheduleDifferences(present, desired);
    if (differences.length === 0) return { pipeline: name, change: 'unchanged' };
    await handle.update((latest) => updateOf(latest, desired));
    return { pipeline: name, change: 'updated', differences };
  });
}

function updateOf(latest: ScheduleDescription, desired: ScheduleOptions): ScheduleUpdateOptions {
  const { spec, action, policies } = desired;
  return {
    spec,
    action,
    ...(policies === undefined ? {} : { policies }),
    state: { ...latest.state, ...pauseOf(latest, desired) },
  };
}

/** Undefined when there is no such schedule. */
export async function describeSchedule(
  handle: ScheduleHandle,
): Promise<ScheduleDescription | undefined> {
  try {
    return await handle.describe();
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}

/** The pipelines, in order of name, that have a schedule on the server, with or without a file. */
export async function scheduledPipelines(temporal: TemporalClient): Promise<readonly string[]> {
  return callTemporal(temporal, async () => {
    const names: string[] = [];
    for await (const { scheduleId: id } of temporal.client.schedule.list()) {
      if (id.startsWith(PREFIX)) names.push(id.slice(PREFIX.length));
    }
    return names.sort();
  });
}
