import assert from 'node:assert/strict';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { pendingActivity, type BatchProgress } from '../../../src/client/trigger/batch-progress';
import { progressLines } from '../../../src/client/trigger/progress-lines';
import { encryptionCodec } from '../../../src/temporal/encryption';
import { PLAIN } from '../../../src/client/render/style';

const NOW = new Date('2026-11-21T03:01:00Z');
const START = new Date('2026-11-21T03:00:50Z');

const CONTROLLER = {
  batch: 'b1',
  phase: 'loading',
  toLoad: 40,
  skipped: 200,
  loaded: 12,
  failed: 1,
  alreadyRunning: 0,
  running: ['orders', 'order items', 'customers', 'more'],
  paused: [],
} as const;

const PROGRESS: BatchProgress = {
  controller: CONTROLLER,
  tables: [
    {
      table: 'orders',
      activity: {
        attempt: 1,
        startedAt: START,
        load: { phase: 'reading', rows: 450_000, rowsExpected: 3_000_000, bytes: 12_345_678 },
      },
    },
    {
      table: 'order items',
      activity: { attempt: 2, lastFailure: 'the connection was cut' },
    },
    { table: 'customers' },
  ],
};

function lines(
  progress: BatchProgress,
  width = 120,
  idle: never[] | [{ role: 'control'; taskQueue: string }] = [],
) {
  const frame = { pipeline: 'sales', batch: 'b1', elapsedMs: 35_000, progress, idle };
  return progressLines(frame, NOW, width, PLAIN);
}

describe('progressLines', () => {
  it('shows each table with what its last heartbeat said', () => {
    assert.deepEqual(lines(PROGRESS), [
      'sales b1  loading  12 of 40 loaded, 1 failed, 200 unchanged  35.0 s',
      '  table        phase        rows   of about      rate     size  note',
      '  orders       reading   450,000  3,000,000  45,000/s  12.3 MB',
      '  order items  waiting                                          attempt 2 after: the connection was cut',
      '  customers    starting',
      '  and 1 more',
    ]);
  });

  it('says what a load waits for', () => {
    const load = { phase: 'waiting', waitingFor: 'one of the 2 places at shop' } as const;
    const activity = { attempt: 1, startedAt: START, load: { ...load, rows: 0, bytes: 0 } };
    assert.match(
      lines({ ...PROGRESS, tables: [{ table: 'orders', activity }] })[2] ?? '',
      /^ {2}orders {2}waiting .* for one of the 2 places at shop$/,
    );
  });

  it('counts the tables that are held back', () => {
    const controller = { ...CONTROLLER, paused: ['payments', 'sessions'] };
    assert.match(
      lines({ controller, step: undefined, tables: [] })[0] ?? '',
      /1 failed, 2 paused, 200 unchanged/,
    );
  });

  it('says why planning is tried again', () => {
    const step = { attempt: 3, lastFailure: 'shop: connection refused' };
    assert.deepEqual(
      lines({ controller: { ...CONTROLLER, phase: 'planning' }, step, tables: [] }),
      ['sales b1  planning  35.0 s', '  attempt 3 after: shop: connection refused'],
    );
  });

  it('says that nobody works, and how to start a worker', () => {
    assert.deepEqual(
      lines({ tables: [] }, 200, [{ role: 'control', taskQueue: 'comporta-control' }]),
      [
        'sales b1  waiting for a worker  35.0 s',
        'no worker polls the task queue comporta-control: start one with "npm start -- --roles control" (or "npm start" for all roles)',
      ],
    );
  });

  it('wraps a long note within the terminal', () => {
    assert.deepEqual(lines(PROGRESS, 84).slice(1, 5), [
      '  table        phase        rows   of about      rate     size  note',
      '  orders       reading   450,000  3,000,000  45,000/s  12.3 MB',
      '  order items  waiting                                          attempt 2 after: the',
      '                                                                connection was cut',
    ]);
  });
});

describe('pendingActivity', () => {
  const heartbeat = { phase: 'reading', rows: 5, bytes: 10 };
  const payload = defaultPayloadConverter.toPayload(heartbeat);
  const lastStartedTime = { seconds: START.getTime() / 1000 } as never;
  const running = (heartbeatDetails: { payloads: Payload[] }) => ({
    pendingActivities: [{ state: 2, attempt: 1, lastStartedTime, heartbeatDetails }],
  });
  const shown = { attempt: 1, startedAt: START, lastFailure: undefined, load: heartbeat };

  it('reads the heartbeat of an attempt that runs', async () => {
    assert.deepEqual(await pendingActivity(running({ payloads: [payload] }), []), shown);
  });

  it('reads one that is encrypted', async () => {
    const codec = encryptionCodec([{ name: 'k', key: Buffer.alloc(32, 1) }]);
    const payloads = await codec.encode([payload]);
    assert.deepEqual(await pendingActivity(running({ payloads }), [codec]), shown);
  });

  it('does not show the heartbeat of an attempt that is over', async () => {
    const over = {
      ...{ state: 1, attempt: 2, lastFailure: { message: 'cut' } },
      heartbeatDetails: { payloads: [payload] },
    };
    assert.deepEqual(await pendingActivity({ pendingActivities: [over] }, []), {
      ...{ attempt: 2, startedAt: undefined, lastFailure: 'cut', load: undefined },
    });
  });

  it('is undefined without a pending activity', async () => {
    assert.equal(await pendingActivity({ pendingActivities: [] }, []), undefined);
  });
});
