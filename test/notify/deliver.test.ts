import assert from 'node:assert/strict';
import { ComportaError } from '../../src/errors';
import { NOTHING_TOLD, type Told } from '../../src/notify/compose';
import { deliver, readTold } from '../../src/notify/deliver';
import type { Delivery, Notice, Notifier } from '../../src/notify/notice';

const NOTICE: Notice = {
  ...{ pipeline: 'sales', batch: 'b1', loaded: 0, skipped: 0 },
  ...{ failures: [], recovered: ['orders'], stale: [] },
};
const TOLD: Told = { failing: { orders: '2026-01-01T00:00:00.000Z' }, stale: {} };
const BATCH = { pipeline: 'sales', batch: 'b1' };

/** Documents that outlive a delivery, as the lake does. */
function memoryDocuments() {
  const kept = new Map<string, string>();
  return {
    putDocument: (path: string, document: unknown) =>
      Promise.resolve(void kept.set(path, JSON.stringify(document))),
    getDocument: (path: string) => {
      const text = kept.get(path);
      return Promise.resolve(text === undefined ? undefined : (JSON.parse(text) as unknown));
    },
  };
}

/** A channel that does what its answers say, one after the other. */
function channel(answers: (Delivery | Error)[]): Notifier & { sent: number } {
  const notifier = {
    sent: 0,
    send: () => {
      notifier.sent += 1;
      const answer = answers.shift() ?? 'sent';
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    check: () => Promise.resolve(),
  };
  return notifier;
}

describe('the delivery of a notice', () => {
  const failed = () => new ComportaError('NotificationFailed', 'not reachable');
  let documents: ReturnType<typeof memoryDocuments>;
  let warnings: string[];
  let composed: number;

  beforeEach(() => {
    documents = memoryDocuments();
    warnings = [];
    composed = 0;
  });

  const attempt = (
    channels: Record<string, Notifier>,
    news: { notice?: Notice } = { notice: NOTICE },
  ) =>
    deliver(
      {
        documents,
        notifiers: new Map(Object.entries(channels)),
        warn: (message) => warnings.push(message),
      },
      BATCH,
      () => {
        composed += 1;
        return Promise.resolve({ told: TOLD, ...news });
      },
    );

  it('reaches every channel once, however often it is tried', async () => {
    const [slack, mail] = [channel([]), channel([])];
    await attempt({ slack, mail });
    await attempt({ slack, mail });
    assert.deepEqual([slack.sent, mail.sent, composed], [1, 1, 1]);
    assert.deepEqual(await readTold(documents, 'sales'), TOLD);
  });

  it('tries again only the channel that failed, and remembers nothing as told until then', async () => {
    const [slack, mail] = [channel([failed()]), channel([])];
    await assert.rejects(attempt({ slack, mail }), /not reachable/);
    assert.deepEqual([slack.sent, mail.sent], [1, 1]);
    assert.deepEqual(await readTold(documents, 'sales'), NOTHING_TOLD);
    await attempt({ slack, mail });
    assert.deepEqual([slack.sent, mail.sent], [2, 1]);
    assert.deepEqual(await readTold(documents, 'sales'), TOLD);
  });

  it('does not repeat what may have arrived', async () => {
    const slack = channel(['unknown']);
    await attempt({ slack });
    await attempt({ slack });
    assert.equal(slack.sent, 1);
    assert.match(warnings.join('\n'), /slack did not answer/);
  });

  it('does not repeat what was under way when the worker died', async () => {
    await new Promise<void>((begun) => {
      const send = () => {
        begun();
        return new Promise<never>(() => undefined);
      };
      void attempt({ slack: { ...channel([]), send } });
    });
    const slack = channel([]);
    await attempt({ slack });
    assert.equal(slack.sent, 0);
    assert.match(warnings.join('\n'), /whether slack was told of batch b1 is not known/);
  });

  it('is nothing where there is nothing to tell', async () => {
    const slack = channel([]);
    await attempt({ slack }, {});
    assert.equal(slack.sent, 0);
    assert.deepEqual(await readTold(documents, 'sales'), TOLD);
  });
});
