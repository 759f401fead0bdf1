import type { Connection } from '@temporalio/client';
import { optionalDateToTs, optionalTsToDate } from '@temporalio/common/lib/time';

/** The part of a connection (a client's or a worker's) that this needs. */
export type ScheduleConnection = Pick<Connection, 'workflowService'>;

/**
 * When a schedule was due before the given run of it, since it last started one, and started none.
 * Temporal says nothing of such a time: the batch before was at work (`overlap: skip`), the
 * schedule was paused, or the server was down for longer than `catchUp`.
 */
export async function missedRuns(
  { workflowService }: ScheduleConnection,
  { namespace, scheduleId }: { readonly namespace: string; readonly scheduleId: string },
  scheduledFor: Date,
): Promise<readonly Date[]> {
  const { info } = await workflowService.describeSchedule({ namespace, scheduleId });
  const since = (info?.recentActions ?? [])
    .flatMap(({ actualTime }) => optionalTsToDate(actualTime) ?? [])
    .filter((started) => started < scheduledFor)
    .reduce<Date | undefined>((last, each) => (last && last > each ? last : each), undefined);
  if (since === undefined) return [];
  const { startTime } = await workflowService.listScheduleMatchingTimes({
    namespace,
    scheduleId,
    startTime: optionalDateToTs(since) ?? null,
    endTime: optionalDateToTs(scheduledFor) ?? null,
  });
  return startTime
    .flatMap((time) => optionalTsToDate(time) ?? [])
    .filter((due) => due > since && due < scheduledFor);
}
