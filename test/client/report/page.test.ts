import assert from 'node:assert/strict';
import fc from 'fast-check';
import { reportPage } from '../../../src/client/report/page';
import { bars, sparkline } from '../../../src/client/report/plots';
import { buildReport } from '../../../src/client/report/report';
import type { HistoryEvent } from '../../../src/history/history';
import { createMemoryHistory } from '../../support/memory-history';
import { event, loaded } from './events';

const NOW = new Date('2026-01-10T12:00:00.000Z');
const linkTo = (id: string, run?: string) => `https://web.ui/${id}/${run}`;

async function pageOf(events: readonly HistoryEvent[]): Promise<string> {
  const history = createMemoryHistory();
  await history.append(events);
  return reportPage(await buildReport(history, ['sales'], { now: NOW, days: 3 }), { linkTo });
}

describe('the page of the report', () => {
  it('names what failed with its cause and the way to the Web UI', async () => {
    const failed = event('FAILED', 'orders', '2026-01-10T03:00:00.000Z', {
      ...{ errorCode: 'PermissionDenied', error: 'no SELECT', workflowId: 'w', workflowRunId: 'r' },
    });
    const page = await pageOf([loaded('orders', '2026-01-09T03:00:00.000Z', 1_234), failed]);
    assert.match(page, /<h2>Failed<\/h2>/);
    assert.match(page, /PermissionDenied<\/span><\/td><td>no SELECT</);
    assert.match(page, /<a href="https:\/\/web\.ui\/w\/r">Web UI<\/a>/);
    assert.match(page, /1,234/);
    assert.match(page, /1 failed/);
  });

  it('says nothing of failures where there are none', async () => {
    const page = await pageOf([loaded('orders', '2026-01-09T03:00:00.000Z', 1)]);
    assert.doesNotMatch(page, /<h2>Failed<\/h2>/);
  });

  it('needs nothing from elsewhere, and runs nothing', async () => {
    const page = await pageOf([loaded('orders', '2026-01-09T03:00:00.000Z', 1)]);
    assert.doesNotMatch(page, /<script|<link|<img|url\(|@import|src=/);
    assert.match(page, /Content-Security-Policy/);
  });

  it('shows names and errors as they are, whatever is in them', async () => {
    const hostile = `<script>alert(1)</script> & "it's"`;
    const page = await pageOf([
      event('FAILED', hostile, '2026-01-10T03:00:00.000Z', { errorCode: 'X', error: hostile }),
    ]);
    assert.doesNotMatch(page, /<script/);
    assert.ok(page.includes('&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;it&#39;s&quot;'));
  });
});

describe('plots', () => {
  const numbers = (svg: string) =>
    [...svg.matchAll(/(?:points|x|y|width|height|cx|cy)="([^"]*)"/g)].flatMap(([, list]) =>
      list!.split(/[ ,]/).map(Number),
    );

  it('stay within their frames, whatever the values', () => {
    const values = fc.array(fc.double({ min: 0, max: 1e15, noNaN: true }), { maxLength: 60 });
    fc.assert(
      fc.property(values, (all) => {
        const chart = bars(
          all.map((value, index) => ({ label: String(index), value })),
          'rows',
          String,
        );
        for (const drawn of [sparkline(all, 'rows'), chart]) {
          assert.ok(
            numbers(drawn).every((number) => number >= 0 && number <= 721),
            drawn,
          );
        }
      }),
      { seed: 43 },
    );
  });

  it('show a day with little beside one with much', () => {
    const svg = bars(
      [
        { label: 'a', value: 1 },
        { label: 'b', value: 1e9 },
        { label: 'c', value: 0 },
      ],
      'rows',
      String,
    );
    assert.deepEqual(
      [...svg.matchAll(/<rect [^>]*height="([^"]*)"/g)].map(([, height]) => Number(height)),
      [1, 106, 0],
    );
  });

  it('are nothing for nothing', () => {
    assert.equal(sparkline([], 'rows'), '');
  });
});
