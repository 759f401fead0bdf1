import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { optionalDateToTs } from '@temporalio/common/lib/time';
import { temporal } from '@temporalio/proto';
import { eventually } from './eventually';

const { EventType, BatchOperationState, ResetReapplyType, ResetType, ScheduleOverlapPolicy } =
  temporal.api.enums.v1;

/** One run of a workflow, as the Web UI's pages are about one. */
export interface Run {
  readonly workflowId: string;
  readonly runId: string;
}

/**
 * The calls that the buttons of Temporal's Web UI make (2.42.1, github.com/temporalio/ui:
 * src/lib/services and src/lib/pages/start-workflow.svelte), without the browser.
 */
export interface WebUi {
  /** The events that the dialog of *Reset* offers, oldest first. */
  resetPoints(run: Run): Promise<readonly number[]>;
  /** *Reset* of one workflow; resolves with the run that it makes. */
  reset(run: Run, point: number): Promise<Run>;
  /** *Reset* of selected workflows, at their first or last workflow task; resolves when it is done. */
  resetMany(runs: readonly Run[], type: 'first' | 'last'): Promise<void>;
  /** *Pending Activities*: the one activity that the run waits for; rejects while there is none. */
  pendingActivity(run: Run): Promise<PendingActivity>;
  /** *Reset* of a pending activity, which the people who use it call "retry now". */
  retryNow(run: Run): Promise<void>;
  pauseActivity(run: Run): Promise<void>;
  unpauseActivity(run: Run): Promise<void>;
  /** *Start Workflow Like This One*, confirmed as it comes up or with another id. */
  startLike(run: Run, workflowId?: string): Promise<Run>;
  /** *Trigger* of a schedule. */
  trigger(scheduleId: string): Promise<void>;
  /** *Backfill* of a schedule, with every run allowed. */
  backfill(scheduleId: string, from: Date, to: Date): Promise<void>;
}

export type PendingActivity = temporal.api.workflow.v1.IPendingActivityInfo;

export function webUi(client: Client): WebUi {
  const { namespace } = client.options;
  const service = client.workflowService;
  const execution = ({ workflowId, runId }: Run) => ({ workflowId, runId });

  const describe = (run: Run) =>
    service.describeWorkflowExecution({ namespace, execution: execution(run) });

  const pendingActivity = async (run: Run) => {
    const { pendingActivities } = await describe(run);
    const [activity] = pendingActivities;
    if (activity === undefined) throw new Error(`${run.workflowId} waits for no activity`);
    return activity;
  };

  const firstEvent = async (run: Run) => {
    const { history } = await service.getWorkflowExecutionHistory({
      namespace,
      execution: execution(run),
      maximumPageSize: 1,
    });
    return history?.events?.[0]?.workflowExecutionStartedEventAttributes;
  };

  const patch = (scheduleId: string, what: temporal.api.schedule.v1.ISchedulePatch) =>
    service.patchSchedule({ namespace, scheduleId, patch: what, requestId: randomUUID() });

  return {
    async resetPoints(run) {
      const { events } = await client.workflow.getHandle(run.workflowId, run.runId).fetchHistory();
      const offered = [
        EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
        EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED,
        EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
      ];
      return (events ?? [])
        .filter(({ eventType }) => eventType != null && offered.includes(eventType))
        .map(({ eventId }) => Number(eventId));
    },

    async reset(run, point) {
      const { runId } = await service.resetWorkflowExecution({
        namespace,
        workflowExecution: execution(run),
        workflowTaskFinishEventId: point as never,
        requestId: randomUUID(),
        reason: 'Reset from the Web UI',
        resetReapplyType: ResetReapplyType.RESET_REAPPLY_TYPE_ALL_ELIGIBLE,
        resetReapplyExcludeTypes: [0],
      });
      return { workflowId: run.workflowId, runId };
    },

    async resetMany(runs, type) {
      const jobId = randomUUID();
      const isFirst = type === 'first';
      await service.startBatchOperation({
        namespace,
        jobId,
        reason: 'Reset from the Web UI',
        executions: runs.map(execution),
        resetOperation: {
          options: isFirst ? { firstWorkflowTask: {} } : { lastWorkflowTask: {} },
          resetType: isFirst
            ? ResetType.RESET_TYPE_FIRST_WORKFLOW_TASK
            : ResetType.RESET_TYPE_LAST_WORKFLOW_TASK,
        },
      });
      await eventually(async () => {
        const { state } = await service.describeBatchOperation({ namespace, jobId });
        if (state !== BatchOperationState.BATCH_OPERATION_STATE_COMPLETED) {
          throw new Error(`the batch operation is in state ${state}`);
        }
      });
    },

    pendingActivity,

    async retryNow(run) {
      const { activityId: id } = await pendingActivity(run);
      await service.resetActivity({ namespace, execution: execution(run), id });
    },

    async pauseActivity(run) {
      const { activityId: id } = await pendingActivity(run);
      await service.pauseActivity({ namespace, execution: execution(run), id });
    },

    async unpauseActivity(run) {
      const { activityId: id } = await pendingActivity(run);
      await service.unpauseActivity({ namespace, execution: execution(run), id });
    },

    async startLike(run, workflowId = run.workflowId) {
      const [started, { workflowExecutionInfo }] = await Promise.all([
        firstEvent(run),
        describe(run),
      ]);
      // Of the attributes it copies those that people defined, and not the server's own.
      const own = Object.entries(
        workflowExecutionInfo?.searchAttributes?.indexedFields ?? {},
      ).filter(([name]) => name.startsWith('Comporta'));
      const { runId } = await service.startWorkflowExecution({
        namespace,
        requestId: randomUUID(),
        workflowId,
        workflowType: started?.workflowType ?? null,
        taskQueue: { name: started?.taskQueue?.name ?? '' },
        input: { payloads: (started?.input?.payloads ?? []).slice(0, 1) },
        searchAttributes: { indexedFields: Object.fromEntries(own) },
      });
      return { workflowId, runId };
    },

    async trigger(scheduleId) {
      const overlapPolicy = ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_UNSPECIFIED;
      await patch(scheduleId, { triggerImmediately: { overlapPolicy } });
    },

    async backfill(scheduleId, from, to) {
      const overlapPolicy = ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL;
      await patch(scheduleId, {
        backfillRequest: [
          {
            startTime: optionalDateToTs(from) ?? null,
            endTime: optionalDateToTs(to) ?? null,
            overlapPolicy,
          },
        ],
      });
    },
  };
}
