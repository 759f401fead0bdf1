import { isDeepStrictEqual } from 'node:util';
import type { ScheduleDescription, ScheduleOptions } from '@temporalio/client';
import { formatDuration } from '../pipeline/duration';
import { pauseOf } from './schedule-pause';

/**
 * What of a schedule on the server is not as wanted, in words: `cron: 0 3 * * * → 0 4 * * *`.
 * Empty when an update would change nothing.
 */
export function scheduleDifferences(
  present: ScheduleDescription,
  desired: ScheduleOptions,
): readonly string[] {
  const { spec, action, policies, state } = present;
  const wanted = desired.action;
  const pause = pauseOf(present, desired);
  return [
    difference('cron', cronOf(present), expressionsOf(desired)),
    difference('time zone', spec.timezone, desired.spec.timezone),
    difference('overlap', policies.overlap, desired.policies?.overlap),
    difference(
      'catch-up',
      formatDuration(policies.catchupWindow),
      formatDuration(Number(desired.policies?.catchupWindow)),
    ),
    difference('pause on failure', policies.pauseOnFailure, desired.policies?.pauseOnFailure),
    difference('workflow', action.workflowType, wanted.workflowType),
    difference('workflow id', action.workflowId, wanted.workflowId),
    difference('task queue', action.taskQueue, wanted.taskQueue),
    difference('argument', action.args, wanted.args),
    difference('start', spec.startAt, undefined),
    difference('end', spec.endAt, undefined),
    difference('jitter', spec.jitter || undefined, undefined),
    difference('skipped times', spec.skip?.length || undefined, undefined),
    difference('paused', state.paused, pause.paused),
  ].flat();
}

/** Expressions as `desiredSchedule` leaves them in the calendars' comments. */
export function cronOf({ spec }: ScheduleDescription): string {
  const calendars = (spec.calendars ?? []).map(({ comment }) => comment || 'set by hand');
  const intervals = (spec.intervals ?? []).map(({ every }) => `every ${formatDuration(every)}`);
  return [...calendars, ...intervals].join('; ');
}

function expressionsOf({ spec }: ScheduleOptions): string {
  return (spec.cronExpressions ?? [])
    .map((expression) => expression.slice(expression.indexOf('#') + 2))
    .join('; ');
}

function difference(name: string, present: unknown, wanted: unknown): string[] {
  if (isDeepStrictEqual(present, wanted)) return [];
  return [`${name}: ${shown(present)} → ${shown(wanted)}`];
}

function shown(value: unknown): string {
  if (value === undefined || value === '') return 'none';
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'string' ? value : JSON.stringify(value);
}
