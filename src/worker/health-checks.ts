import type { NativeConnection, Worker } from '@temporalio/worker';
import type { Project } from '../pipeline/pipeline';
import type { Resources } from '../resources';
import type { HealthCheck } from './health';

export interface HealthSubjects {
  readonly workers: readonly Pick<Worker, 'getState'>[];
  readonly connection: Pick<NativeConnection, 'workflowService'>;
  readonly loadProject: () => Promise<Project>;
  readonly resources: Pick<Resources, 'history'>;
}

/** A worker that failed does not come back by itself: the process should be started again. */
export function liveChecks({ workers }: Pick<HealthSubjects, 'workers'>): HealthCheck[] {
  return [
    {
      name: 'workers',
      check: () => {
        const failed = workers.map((worker) => worker.getState()).includes('FAILED');
        return failed ? Promise.reject(new Error('one has failed')) : Promise.resolve();
      },
    },
  ];
}

/** What the next batch needs. Sources and lakes are not asked: one that is down stops its own pipeline only. */
export function readyChecks(subjects: HealthSubjects): HealthCheck[] {
  const { workers, connection, loadProject, resources } = subjects;
  return [
    {
      name: 'polling',
      check: () => {
        const others = workers.map((worker) => worker.getState()).filter((s) => s !== 'RUNNING');
        if (others.length === 0) return Promise.resolve();
        return Promise.reject(new Error(others.join(', ').toLowerCase()));
      },
    },
    {
      name: 'temporal',
      check: async () => void (await connection.workflowService.getSystemInfo({})),
    },
    { name: 'pipelines', check: async () => void (await loadProject()) },
    {
      name: 'history',
      check: async () => {
        const history = await resources.history(await loadProject());
        await history.states('', []);
      },
    },
  ];
}
