import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { workflowBundle } from '../support/workflow-worker';

const HISTORIES = join(__dirname, 'histories');

/** Every stored history, of every release: `<version>/<name>.json`. */
const files = readdirSync(HISTORIES, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.json'))
  .map((entry) => join(entry.parentPath, entry.name))
  .sort();

interface StoredHistory {
  events: { eventType: string; [attributes: string]: unknown }[];
}

function read(file: string): StoredHistory {
  return JSON.parse(readFileSync(file, 'utf8')) as StoredHistory;
}

async function replay(history: StoredHistory, { traced = false } = {}): Promise<void> {
  const bundle = await workflowBundle({ traced });
  const sinks = { exporter: { export: { fn: () => undefined } } };
  await Worker.runReplayHistory({ workflowBundle: bundle, sinks }, history, 'replayed');
}

describe('replay of stored histories', function () {
  this.timeout(60_000);

  it('has histories to replay', () => {
    assert.ok(files.length >= 5, `found ${files.length} in ${HISTORIES}`);
  });

  for (const file of files) {
    const name = relative(HISTORIES, file);

    it(`replays ${name}`, async () => {
      await replay(read(file));
    });

    it(`replays ${name} with tracing, which it was recorded without`, async () => {
      await replay(read(file), { traced: true });
    });

    // A reset replays a history under a run id that it was not made under (TMPRL1100).
    it(`replays ${name} as another run`, async () => {
      const history = read(file);
      const attributes = history.events[0]?.['workflowExecutionStartedEventAttributes'] as {
        originalExecutionRunId: string;
      };
      assert.ok(attributes.originalExecutionRunId);
      attributes.originalExecutionRunId = '00000000-0000-0000-0000-000000000000';
      await replay(history);
    });

    it(`refuses ${name} with another first step`, async () => {
      const history = read(file);
      const scheduled = history.events.find(
        ({ eventType }) => eventType === 'EVENT_TYPE_ACTIVITY_TASK_SCHEDULED',
      );
      const attributes = scheduled?.['activityTaskScheduledEventAttributes'] as {
        activityType: { name: string };
      };
      attributes.activityType.name = 'anotherActivity';
      await assert.rejects(replay(history), DeterminismViolationError);
    });
  }
});
