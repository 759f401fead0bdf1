import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ListedSchedule } from '../../src/client/schedule/list';
import type { ApplyResult } from '../../src/client/schedule/apply';
import {
  connectClient,
  loadTemporalOptions,
  type TemporalClient,
} from '../../src/temporal/connection';
import { CONNECTIONS, withBench, type Bench } from '../client/command-bench';
import { eventually } from '../support/eventually';
import { sharedTemporal, uniqueName } from '../support/servers';

function pipelineFile(name: string, schedule: string): string {
  return `
pipeline: ${name}
source: { connection: shop }
destination: { connection: lake }
${schedule === '' ? '' : `schedule: { ${schedule} }`}
`;
}

interface ScheduleBench extends Bench {
  readonly edit: (schedule: string) => Promise<void>;
  readonly apply: () => Promise<ApplyResult['applied']>;
  readonly list: () => Promise<ListedSchedule | undefined>;
}

async function openClient(): Promise<TemporalClient> {
  const { address } = await sharedTemporal();
  return connectClient(
    loadTemporalOptions({ TEMPORAL_ADDRESS: address, TEMPORAL_CONFIG_FILE: '/no/such/file' }),
  );
}

describe('schedule, on a real server', () => {
  let name: string;
  let temporal: TemporalClient;

  before(async () => {
    temporal = await openClient();
  });
  after(() => temporal.close());
  beforeEach(() => {
    name = uniqueName('sched').replace('_', '-');
  });
  afterEach(async () => {
    await temporal.client.schedule
      .getHandle(`comporta/${name}`)
      .delete()
      .catch(() => undefined);
  });

  /** A folder with one pipeline, and ways to edit it and to apply it. */
  function withSchedule(
    schedule: string,
    body: (bench: ScheduleBench) => Promise<void>,
  ): Promise<void> {
    const files = {
      'connections.yaml': CONNECTIONS,
      [`${name}.yaml`]: pipelineFile(name, schedule),
    };
    return withBench({ files, openClient }, (bench) =>
      body({
        ...bench,
        edit: (edited) =>
          writeFile(join(bench.directory, `${name}.yaml`), pipelineFile(name, edited)),
        apply: async () => {
          const { stdout, stderr, code } = await bench.run('schedule', 'apply', '--json');
          assert.equal(code, 0, stderr);
          return (JSON.parse(stdout) as ApplyResult).applied;
        },
        list: async () => {
          const { stdout } = await bench.run('schedule', 'list', name, '--json');
          return (JSON.parse(stdout) as ListedSchedule[])[0];
        },
      }),
    );
  }

  const describeIt = () => temporal.client.schedule.getHandle(`comporta/${name}`).describe();

  it('creates what the file says, and a second apply changes nothing', async () => {
    const schedule =
      'cron: ["0 3 * * 1-5", "*/15 20-22 * * *"], timeZone: America/Sao_Paulo, overlap: bufferOne, catchUp: 10m';
    await withSchedule(schedule, async ({ apply, run }) => {
      assert.deepEqual(await apply(), [{ pipeline: name, change: 'created' }]);
      const { action, policies, spec, info, state } = await describeIt();
      assert.equal(action.workflowType, 'controller');
      assert.equal(action.workflowId, `controller/${name}`);
      assert.equal(action.taskQueue, 'comporta-control');
      assert.deepEqual(action.args, [{ pipeline: name }]);
      assert.deepEqual(policies, {
        overlap: 'BUFFER_ONE',
        catchupWindow: 600_000,
        pauseOnFailure: false,
      });
      assert.equal(spec.timezone, 'America/Sao_Paulo');
      assert.equal(state.paused, false);
      assert(info.nextActionTimes.length > 0);

      assert.deepEqual(await apply(), [{ pipeline: name, change: 'unchanged' }]);
      assert.equal((await describeIt()).info.lastUpdatedAt, undefined);
      assert.match(
        (await run('schedule', 'apply', name)).stdout,
        new RegExp(`^${name}: unchanged\n$`),
      );
    });
  });

  it('updates what differs and says what', async () => {
    await withSchedule('cron: "0 3 * * *"', async ({ apply, edit, run }) => {
      await apply();
      await edit('cron: "0 4 * * *", overlap: allowAll, catchUp: 30m, timeZone: Europe/Lisbon');
      const { stdout } = await run('schedule', 'apply');
      assert.equal(
        stdout.split('\n')[0],
        `${name}: updated (cron: 0 3 * * * → 0 4 * * *; time zone: UTC → Europe/Lisbon; overlap: SKIP → ALLOW_ALL; catch-up: 1h → 30m)`,
      );
      assert.deepEqual(await apply(), [{ pipeline: name, change: 'unchanged' }]);
    });
  });

  it('undoes what somebody changed on the server', async () => {
    await withSchedule('cron: "0 3 * * *"', async ({ apply }) => {
      await apply();
      await temporal.client.schedule.getHandle(`comporta/${name}`).update((previous) => ({
        ...previous,
        spec: { cronExpressions: ['0 5 * * *'], jitter: '1m' },
        action: { ...previous.action, args: [{ pipeline: 'another' }] },
      }));
      const [application] = await apply();
      assert.deepEqual(application, {
        pipeline: name,
        change: 'updated',
        differences: [
          'cron: set by hand → 0 3 * * *',
          'time zone: none → UTC',
          `argument: [{"pipeline":"another"}] → [{"pipeline":"${name}"}]`,
          'jitter: 60000 → none',
        ],
      });
      assert.deepEqual(await apply(), [{ pipeline: name, change: 'unchanged' }]);
    });
  });

  it('keeps a pause made by hand, over an update too, until it is resumed', async () => {
    await withSchedule('cron: "0 3 * * *"', async ({ apply, edit, run, list }) => {
      await apply();
      await run('schedule', 'pause', name, '--note', 'migration');
      assert.deepEqual(await apply(), [{ pipeline: name, change: 'unchanged' }]);
      await edit('cron: "0 4 * * *"');
      await apply();
      const { paused, note } = (await describeIt()).state;
      assert.deepEqual([paused, note], [true, 'migration']);
      await eventually(async () => assert.equal((await list())?.state, 'paused'));

      const { stdout } = await run('schedule', 'resume', name);
      assert.equal(stdout, `${name}: active\n`);
      assert.equal((await describeIt()).state.paused, false);
    });
  });

  it('pauses and resumes with the file', async () => {
    await withSchedule('cron: "0 3 * * *", paused: true', async ({ apply, edit }) => {
      await apply();
      assert.equal((await describeIt()).state.paused, true);
      await edit('cron: "0 3 * * *"');
      assert.deepEqual(await apply(), [
        { pipeline: name, change: 'updated', differences: ['paused: true → false'] },
      ]);
      assert.equal((await describeIt()).state.paused, false);
      await edit('cron: "0 3 * * *", paused: true');
      assert.deepEqual(await apply(), [
        { pipeline: name, change: 'updated', differences: ['paused: false → true'] },
      ]);
    });
  });

  it('names a schedule that no file asks for, and deletes it only when told to', async () => {
    await withSchedule('cron: "0 3 * * *"', async ({ apply, directory, run }) => {
      await apply();
      const other = { 'connections.yaml': CONNECTIONS, 'other.yaml': pipelineFile('other', '') };
      await rm(join(directory, `${name}.yaml`));
      await writeFile(join(directory, 'other.yaml'), other['other.yaml']);
      // What is listed comes from the server's visibility store, a moment later.
      await eventually(async () => {
        const { stdout } = await run('schedule', 'apply');
        assert.match(stdout, new RegExp(`${name}: left alone: no file in this folder asks for it`));
      });
      const listed = JSON.parse(
        (await run('schedule', 'list', '--json')).stdout,
      ) as ListedSchedule[];
      assert.equal(listed.find(({ pipeline }) => pipeline === name)?.state, 'orphan');
      assert.match(
        (await run('schedule', 'list')).stdout,
        new RegExp(`^${name} +orphan +0 3`, 'm'),
      );

      const { stdout } = await run('schedule', 'apply', '--prune');
      assert.match(stdout, new RegExp(`${name}: deleted`));
      await assert.rejects(describeIt());
    });
  });

  it('lists what is not applied yet, and what differs', async () => {
    await withSchedule('cron: "0 3 * * *"', async ({ apply, edit, list }) => {
      assert.deepEqual(await list(), {
        pipeline: name,
        state: 'not applied',
        cron: '0 3 * * *',
        timeZone: 'UTC',
        differences: [],
      });
      await apply();
      await edit('cron: "0 4 * * *"');
      await eventually(async () => {
        const listed = await list();
        assert.equal(listed?.state, 'active');
        assert.deepEqual(listed.differences, ['cron: 0 3 * * * → 0 4 * * *']);
        assert.match(listed.next ?? '', /T03:00:00/);
      });
    });
  });

  it('triggers the controller under an id that Temporal completes', async () => {
    await withSchedule('cron: "0 3 1 1 *"', async ({ apply, run }) => {
      await apply();
      const { stdout, code } = await run('schedule', 'trigger', name);
      assert.deepEqual([code, stdout], [0, `${name}: triggered, under its overlap policy\n`]);
      let workflowId = '';
      await eventually(async () => {
        const [action] = (await describeIt()).info.recentActions;
        workflowId = action?.action.workflow.workflowId ?? '';
        assert.match(workflowId, new RegExp(`^controller/${name}-\\d{4}-`));
      });
      // No worker of this test takes it up.
      await temporal.client.workflow.getHandle(workflowId).terminate();
    });
  });

  it('deletes', async () => {
    await withSchedule('cron: "0 3 * * *"', async ({ apply, run }) => {
      await apply();
      assert.equal((await run('schedule', 'delete', name)).stdout, `${name}: deleted\n`);
      await assert.rejects(describeIt());
    });
  });

  for (const command of ['pause', 'resume', 'trigger', 'delete']) {
    it(`${command} of a schedule that is not there answers 2`, async () => {
      await withSchedule('', async ({ run }) => {
        const { code, stderr } = await run('schedule', command, name);
        assert.equal(code, 2, stderr);
        assert.match(stderr, new RegExp(`no schedule for "${name}"`));
      });
    });
  }
});
