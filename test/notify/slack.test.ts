import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { ComportaError } from '../../src/errors';
import { freePort } from '../../scripts/services/network';
import type { Notice } from '../../src/notify/notice';
import { createSlackNotifier, slackMessage } from '../../src/notify/slack';

const NOTICE: Notice = {
  ...{ pipeline: 'sales', batch: 'b1', loaded: 3, skipped: 200 },
  failures: [
    {
      code: 'PermissionDenied',
      tables: [{ table: 'orders', error: 'sales / orders: no SELECT <on> a & b' }],
    },
  ],
  recovered: ['items'],
  stale: [],
  link: 'https://web.ui/w',
};

const text = fc.string({ unit: 'grapheme', maxLength: 400 });
const anyNotice: fc.Arbitrary<Notice> = fc.record({
  pipeline: fc.string({ maxLength: 63 }),
  batch: text,
  loaded: fc.nat(),
  skipped: fc.nat(),
  failures: fc.array(
    fc.record({
      code: text,
      tables: fc.array(fc.record({ table: text, error: text }), { minLength: 1, maxLength: 30 }),
    }),
    { maxLength: 70 },
  ),
  recovered: fc.array(text, { maxLength: 30 }),
  stale: fc.array(fc.record({ table: text }), { maxLength: 30 }),
});

describe('a notice for Slack', () => {
  it('has a header, a section for each cause, and the batch with a link', () => {
    assert.deepEqual(slackMessage(NOTICE), {
      text: 'sales: 1 table failed, 1 table well again',
      blocks: [
        {
          type: 'header',
          text: { type: 'plain_text', text: 'sales: 1 table failed, 1 table well again' },
        },
        {
          type: 'section',
          text: {
            type: 'mrkdwn',
            text: '*PermissionDenied*\n• sales / orders: no SELECT &lt;on&gt; a &amp; b',
          },
        },
        { type: 'section', text: { type: 'mrkdwn', text: '*Well again*\n• items' } },
        {
          type: 'context',
          elements: [
            {
              type: 'mrkdwn',
              text: 'batch b1: 3 loaded, 200 unchanged · <https://web.ui/w|open in the Web UI>',
            },
          ],
        },
      ],
    });
  });

  it('stays within the limits that Slack documents, whatever failed', () => {
    fc.assert(
      fc.property(anyNotice, (notice) => {
        const { blocks } = slackMessage(notice);
        assert.ok(blocks.length <= 50);
        for (const block of blocks) {
          const { text: inner } = block as { text?: { type: string; text: string } };
          if (inner === undefined) continue;
          assert.ok(inner.text.length > 0);
          assert.ok(inner.text.length <= (inner.type === 'plain_text' ? 150 : 3_000));
        }
      }),
      { seed: 41, numRuns: 300 },
    );
  });

  describe('on its way', () => {
    let server: Server;
    let received: { readonly headers: IncomingMessage['headers']; readonly body: string }[];
    let answer: { status: number; text: string } | 'nothing';
    let port: number;

    beforeEach(async () => {
      received = [];
      answer = { status: 200, text: 'ok' };
      server = createServer((request, response) => {
        let body = '';
        request.on('data', (data: Buffer) => (body += data.toString()));
        request.on('end', () => {
          received.push({ headers: request.headers, body });
          if (answer === 'nothing') request.socket.destroy();
          else response.writeHead(answer.status).end(answer.text);
        });
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      ({ port } = server.address() as AddressInfo);
    });
    afterEach(() => {
      server.closeAllConnections();
      server.close();
    });

    const notifier = (url: string) =>
      createSlackNotifier(
        { type: 'slack', name: 'ops', webhook: { from: 'env', name: 'HOOK' } },
        { read: () => Promise.resolve(url) },
      );
    const webhook = () => `http://127.0.0.1:${port}/services/T0/B0/secret-part`;

    async function failure(url = webhook()): Promise<ComportaError> {
      const error: unknown = await notifier(url)
        .send(NOTICE)
        .catch((thrown: unknown) => thrown);
      assert.ok(error instanceof ComportaError, String(error));
      assert.doesNotMatch(error.message, /secret-part|127\.0\.0\.1/);
      return error;
    }

    it('is posted as JSON', async () => {
      assert.equal(await notifier(webhook()).send(NOTICE), 'sent');
      assert.equal(received[0]?.headers['content-type'], 'application/json');
      assert.deepEqual(JSON.parse(received[0]?.body ?? ''), slackMessage(NOTICE));
    });

    it('is refused for now, or for good', async () => {
      answer = { status: 503, text: 'down' };
      assert.equal((await failure()).code, 'NotificationFailed');
      answer = { status: 429, text: 'rate_limited' };
      assert.equal((await failure()).code, 'NotificationFailed');
      answer = { status: 404, text: 'no_service' };
      const lasting = await failure();
      assert.equal(lasting.code, 'ConfigurationInvalid');
      assert.match(lasting.message, /404 no_service/);
    });

    it('is surely not there without a connection', async () => {
      const closed = `http://127.0.0.1:${await freePort()}/services/secret-part`;
      assert.equal((await failure(closed)).code, 'NotificationFailed');
    });

    it('may be there when the connection is lost before the answer', async () => {
      answer = 'nothing';
      assert.equal(await notifier(webhook()).send(NOTICE), 'unknown');
    });

    it('goes to https alone', async () => {
      for (const url of ['http://hooks.example.org/secret-part', 'secret-part']) {
        assert.equal((await failure(url)).code, 'ConfigurationInvalid');
        await assert.rejects(notifier(url).check(), /is no https address/);
      }
      await notifier(webhook()).check();
      assert.deepEqual(received, []);
    });
  });
});
