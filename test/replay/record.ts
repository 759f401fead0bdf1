import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensureTemporal } from '../../scripts/services/temporal';
import type { controller } from '../../src/workflows';
import {
  CONTROL_TASK_QUEUE,
  controllerWorkflowId,
  ingestWorkflowId,
} from '../../src/workflows/api';
import { failure, fakeActivities } from '../support/fake-activities';
import { sharedTemporal } from '../support/servers';
import { startWorkflowWorld } from '../support/workflow-worker';

const run = promisify(execFile);

/**
 * Records the histories that the replay tests hold every later version of the workflows against:
 * `npx tsx test/replay/record.ts <version>` writes test/replay/histories/<version>/*.json. Run it
 * once per release, on the released code, never on the branch whose compatibility is in question.
 */
async function record(version: string): Promise<void> {
  const directory = join(__dirname, 'histories', version);
  await mkdir(directory, { recursive: true });
  let found: () => void = () => undefined;
  const lost = new Promise<void>((resolve) => (found = resolve));
  const { activities } = fakeActivities({
    tables: ['orders', 'customers', 'payments', 'sessions', 'visits'],
    concurrency: 2,
    maximumAttempts: 2,
    load: ({ table }) => {
      if (table === 'payments') throw failure('PermissionDenied', 'no SELECT on payments');
      if (table === 'sessions') throw failure('ConnectionFailed', 'cut', false);
      // As if its worker were frozen each time.
      if (table === 'visits') return lost;
    },
  });
  const { client, pipeline, close } = await startWorkflowWorld(activities, { frozen: true });
  const { address } = await sharedTemporal();
  const save = async (name: string, workflowId: string) => {
    const { stdout } = await run(
      await ensureTemporal(),
      ['workflow', 'show', '--workflow-id', workflowId, '--address', address, '--output', 'json'],
      { maxBuffer: 64 * 1024 * 1024 },
    );
    // Stack traces and identities name the machine that recorded.
    const portable = stdout.replaceAll(`${process.cwd()}/`, '').replaceAll(hostname(), 'worker');
    await writeFile(join(directory, `${name}.json`), portable);
  };
  try {
    await client.workflow
      .execute<typeof controller>('controller', {
        workflowId: controllerWorkflowId(pipeline, 'batch'),
        taskQueue: CONTROL_TASK_QUEUE,
        args: [{ pipeline, batch: 'batch' }],
      })
      .catch(() => undefined); // Three tables fail on purpose.
    await client.workflow
      .execute<typeof controller>('controller', {
        workflowId: `controller/${pipeline}`,
        taskQueue: CONTROL_TASK_QUEUE,
        args: [{ pipeline, tables: [] }],
      })
      .catch(() => undefined);
    await save('controller-with-failures', controllerWorkflowId(pipeline, 'batch'));
    await save('controller-scheduled', `controller/${pipeline}`);
    await save('ingest-loaded', ingestWorkflowId(pipeline, 'orders', 'batch'));
    await save('ingest-failed', ingestWorkflowId(pipeline, 'payments', 'batch'));
    await save('ingest-failed-after-retries', ingestWorkflowId(pipeline, 'sessions', 'batch'));
    await save('ingest-lost', ingestWorkflowId(pipeline, 'visits', 'batch'));
  } finally {
    found();
    await close();
  }
}

void record(process.argv[2] ?? 'unreleased').then(() => process.exit(0));
