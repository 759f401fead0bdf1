import assert from 'node:assert/strict';
import { cronProblem } from '../../src/pipeline/cron';
import { isTimeZone, nearestTimeZone } from '../../src/pipeline/time-zone';

describe('cron expressions', () => {
  for (const expression of [
    '0 3 * * *',
    '*/15 * * * *',
    '5/15 8-18 * * MON-FRI',
    '0,30 0 1,15 jan,JULY 0',
    '0 12 * * MON-WED,FRI',
    '0 0 29 2 *',
    '0 0 * * 7',
    '  0   3 * * *  ',
    '10-40/10 * * * *',
  ]) {
    it(`takes ${expression}`, () => assert.equal(cronProblem(expression), undefined));
  }

  for (const [expression, problem] of [
    ['', '0 fields'],
    ['0 3 * *', '4 fields'],
    ['0 0 3 * * *', '6 fields'],
    ['@daily', 'shorthands'],
    ['60 3 * * *', 'minute must be 0 to 59'],
    ['0 24 * * *', 'hour must be 0 to 23'],
    ['0 0 0 * *', 'day of month must be 1 to 31'],
    ['0 0 * 13 *', 'month must be 1 to 12'],
    ['0 0 * ja *', 'month must be 1 to 12'],
    ['0 0 * * 8', 'day of week must be 0 to 7'],
    ['0 0 * * FRI-SUN', 'runs backwards'],
    ['5-1 * * * *', 'runs backwards'],
    ['*/0 * * * *', 'step'],
    ['*/a * * * *', 'step'],
    ['*/1/2 * * * *', 'step'],
    ['1-2-3 * * * *', 'malformed range'],
    ['1, * * * *', 'minute must be'],
    ['L * * * *', 'minute must be'],
    ['0 0 31 4,6 *', 'never run'],
    ['0 0 30 FEB *', 'never run'],
  ] as const) {
    it(`refuses ${JSON.stringify(expression)}: ${problem}`, () => {
      assert.ok(cronProblem(expression)?.includes(problem), cronProblem(expression));
    });
  }
});

describe('time zones', () => {
  for (const name of ['UTC', 'America/Sao_Paulo', 'Asia/Kolkata', 'Asia/Calcutta', 'Etc/GMT+3']) {
    it(`takes ${name}`, () => assert.ok(isTimeZone(name)));
  }
  for (const name of [
    'america/sao_paulo',
    'America/sao_paulo',
    'America/Sao_paulo',
    '+03:00',
    'BRT',
    'Mars/Base',
    '',
  ]) {
    it(`refuses ${JSON.stringify(name)}`, () => assert.ok(!isTimeZone(name)));
  }
  it('suggests the one that was meant', () => {
    assert.equal(nearestTimeZone('America/Sao Paulo'), 'America/Sao_Paulo');
    assert.equal(nearestTimeZone('america/new_york'), 'America/New_York');
    assert.equal(nearestTimeZone('nonsense'), undefined);
  });
});
