import assert from 'node:assert/strict';
import { decide } from '../../src/detection/decide';
import type { Evidence, TableToken } from '../../src/detection/detection';

const HOUR = 3_600_000;

function token(evidence: Evidence[], sourceTime = '2026-01-01T10:00:00.000000Z'): TableToken {
  return { sourceTime, evidence };
}

function evidence(overrides: Partial<Evidence> = {}): Evidence {
  return {
    strategy: 'token',
    identity: { server: 'a' },
    values: { updated: '1' },
    ...overrides,
  };
}

function verdictOf(previous: TableToken | undefined, current: TableToken): [string, string] {
  const { verdict, reason } = decide({
    ...(previous === undefined ? {} : { previous }),
    current,
    strategy: 'auto',
    maxSkipAgeMs: 24 * HOUR,
  });
  return [verdict, reason];
}

interface Case {
  readonly title: string;
  readonly before?: TableToken;
  readonly now: TableToken;
  readonly verdict: string;
  readonly reason: RegExp;
}

const log = (values: Evidence['values'], more: Partial<Evidence> = {}): Evidence =>
  evidence({ strategy: 'log', values, ...more });

const cases: Case[] = [
  {
    title: 'a table never loaded',
    now: token([evidence()]),
    verdict: 'unknown',
    reason: /no successful load yet/,
  },
  {
    title: 'the same token',
    before: token([evidence()]),
    now: token([evidence()]),
    verdict: 'unchanged',
    reason: /same token \(updated 1\)/,
  },
  {
    title: 'a token that went back: inequality, not order',
    before: token([evidence({ values: { updated: '14' } })]),
    now: token([evidence({ values: { updated: '11' } })]),
    verdict: 'changed',
    reason: /updated 14 → 11/,
  },
  {
    title: 'another server',
    before: token([evidence()]),
    now: token([evidence({ identity: { server: 'b' } })]),
    verdict: 'unknown',
    reason: /another server or a restart \(server a → b\)/,
  },
  {
    title: 'a value that vanished',
    before: token([evidence({ values: { updated: '1', rows: '5' } })]),
    now: token([evidence()]),
    verdict: 'changed',
    reason: /rows 5 → none/,
  },
  {
    title: 'a token distrusted now',
    before: token([evidence()]),
    now: token([evidence({ distrust: 'a reader replica' })]),
    verdict: 'unknown',
    reason: /a reader replica/,
  },
  {
    title: 'a token that was not settled when it was saved',
    before: token([evidence({ distrust: 'not settled' })]),
    now: token([evidence()]),
    verdict: 'unknown',
    reason: /could not be trusted \(not settled\)/,
  },
  {
    title: 'no evidence at all',
    before: token([]),
    now: token([]),
    verdict: 'unknown',
    reason: /no evidence/,
  },
  {
    title: 'a load older than maxSkipAge',
    before: token([evidence()], '2025-12-31T09:59:59.000000Z'),
    now: token([evidence()]),
    verdict: 'unknown',
    reason: /maxSkipAge/,
  },
  {
    title: 'a source clock that went back',
    before: token([evidence()], '2026-01-01T10:00:01.000000Z'),
    now: token([evidence()]),
    verdict: 'unknown',
    reason: /clock went back/,
  },
  {
    title: 'a source clock that cannot be read',
    before: token([evidence()], 'nonsense'),
    now: token([evidence()]),
    verdict: 'unknown',
    reason: /clock went back/,
  },
  {
    title: 'a log that did not move proves it for every table',
    before: token([log({ position: '7' }), evidence({ distrust: 'not settled' })]),
    now: token([log({ position: '7' }), evidence()]),
    verdict: 'unchanged',
    reason: /logged nothing since/,
  },
  {
    title: 'a log that moved elsewhere',
    before: token([log({ position: '7' }), evidence({ distrust: 'not settled' })]),
    now: token([log({ position: '8' }, { touched: 'no' }), evidence()]),
    verdict: 'unchanged',
    reason: /position 7 → 8, and nothing in between touches this table/,
  },
  {
    title: 'a log that moved here, even with the same token',
    before: token([log({ position: '7' }), evidence()]),
    now: token([log({ position: '8' }, { touched: 'yes' }), evidence()]),
    verdict: 'changed',
    reason: /names this table/,
  },
  {
    title: 'a log that cannot be read leaves it to the token',
    before: token([log({ position: '7' }), evidence()]),
    now: token([log({ position: '8' }, { touched: 'unknown' }), evidence()]),
    verdict: 'unchanged',
    reason: /same token/,
  },
  {
    title: 'a write around the log shows in the token',
    before: token([log({ position: '7' }), evidence()]),
    now: token([
      log({ position: '7' }, { blindTo: 'sql_log_bin=0' }),
      evidence({ values: { updated: '2' } }),
    ]),
    verdict: 'changed',
    reason: /updated 1 → 2 \(the log, which is blind to sql_log_bin=0, shows nothing\)/,
  },
  {
    title: 'a statistic alone does not contradict the log',
    before: token([log({ position: '7' }), evidence({ values: { updated: '1', rows: '5' } })]),
    now: token([
      log({ position: '7' }, { blindTo: 'sql_log_bin=0' }),
      evidence({ values: { updated: '1', rows: '6' }, hints: ['rows'] }),
    ]),
    verdict: 'unchanged',
    reason: /logged nothing since/,
  },
];

describe('decide', () => {
  for (const { title, before, now, verdict, reason } of cases) {
    it(`${title}: ${verdict}`, () => {
      const [actual, why] = verdictOf(before, now);
      assert.equal(actual, verdict, why);
      assert.match(why, reason);
    });
  }

  it('loads when the settings that shape the data changed', () => {
    const same = token([evidence()]);
    const [verdict] = verdictOf({ ...same, settings: 'a' }, { ...same, settings: 'b' });
    assert.equal(verdict, 'changed');
  });

  it('loads always when told to', () => {
    const same = token([evidence()]);
    const decision = decide({
      previous: same,
      current: same,
      strategy: 'always',
      maxSkipAgeMs: HOUR,
    });
    assert.equal(decision.verdict, 'unknown');
  });
});
