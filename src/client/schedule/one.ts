import { ScheduleNotFoundError, type ScheduleHandle } from '@temporalio/client';
import { ComportaError } from '../../errors';
import type { TemporalClient } from '../../temporal/connection';
import { callTemporal } from '../../temporal/errors';
import { scheduleId } from '../../temporal/schedules';

/** Each acts on the schedule of one pipeline and says in a sentence what is so now. */

export async function pauseSchedule(
  temporal: TemporalClient,
  pipeline: string,
  note = 'paused by "schedule pause"',
): Promise<string> {
  await on(temporal, pipeline, (schedule) => schedule.pause(note));
  return `${pipeline}: paused until "npm run schedule -- resume ${pipeline}"`;
}

export async function resumeSchedule(temporal: TemporalClient, pipeline: string): Promise<string> {
  await on(temporal, pipeline, (schedule) => schedule.unpause('resumed by "schedule resume"'));
  return `${pipeline}: active`;
}

export async function triggerSchedule(temporal: TemporalClient, pipeline: string): Promise<string> {
  await on(temporal, pipeline, (schedule) => schedule.trigger());
  return `${pipeline}: triggered, under its overlap policy`;
}

export async function deleteSchedule(temporal: TemporalClient, pipeline: string): Promise<string> {
  await on(temporal, pipeline, (schedule) => schedule.delete());
  return `${pipeline}: deleted`;
}

async function on(
  temporal: TemporalClient,
  pipeline: string,
  act: (schedule: ScheduleHandle) => Promise<void>,
): Promise<void> {
  try {
    await callTemporal(temporal, () =>
      act(temporal.client.schedule.getHandle(scheduleId(pipeline))),
    );
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
    throw new ComportaError('ConfigurationInvalid', `Temporal has no schedule for "${pipeline}"`, {
      remedy: 'see what it has with "npm run schedule -- list"; create it with "… -- apply"',
    });
  }
}
