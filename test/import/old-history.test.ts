import assert from 'node:assert/strict';
import { csvRows } from '../../src/import/csv';
import { momentOf } from '../../src/import/local-time';
import { lastExecutions, type OldRow } from '../../src/import/old-history';

const row = (changes: OldRow = {}): OldRow => ({
  nome_tabela: 'alunos',
  data_execucao: '2026-11-20T03:10:00Z',
  qtd_linhas: 12,
  tempo_execucao: 60,
  status: 'SUCESSO',
  ...changes,
});

const iso = (at: unknown) => (typeof at === 'number' ? new Date(at).toISOString() : at);
const last = (rows: readonly OldRow[], timeZone?: string) => {
  const options = { durationUnitMs: 1_000, ...(timeZone === undefined ? {} : { timeZone }) };
  return lastExecutions(rows, options).get('alunos');
};

describe('the last execution in an old Historico_Execucao', () => {
  it('is the last success, begun its duration before its time', () => {
    const rows = [row(), row({ data_execucao: '2026-11-19T03:00:00Z', qtd_linhas: 3 })];
    const { begun, succeeded, rows: count, durationMs } = last(rows)!;
    assert.deepEqual(
      [iso(begun), succeeded, count, durationMs],
      ['2026-11-20T03:09:00.000Z', true, 12, 60_000],
    );
  });

  it('is the later row of two of the same time', () => {
    assert.equal(last([row({ qtd_linhas: 3 }), row()])?.rows, 12);
  });

  it('is a failure that may have ended after the last success began', () => {
    const failure = (data_execucao: string, tempo_execucao: unknown) =>
      last([row({ status: 'FALHA', data_execucao, tempo_execucao }), row()])?.succeeded;
    assert.equal(failure('2026-11-20T03:20:00Z', 5), false);
    assert.equal(failure('2026-11-20T02:50:00Z', 1_200), false);
    assert.equal(failure('2026-11-20T02:50:00Z', 60), true);
    // Over at the moment at which the success began.
    assert.equal(failure('2026-11-20T03:08:00Z', 60), false);
    // Without a duration it may have gone on for a day, and without a time for ever.
    assert.equal(failure('2026-11-20T02:50:00Z', null), false);
    assert.equal(failure('2026-11-18T02:50:00Z', null), true);
    assert.equal(failure('yesterday', 60), false);
    // Of a day it may be the last minute.
    assert.equal(failure('2026-11-20 UTC', 0), false);
    assert.equal(failure('2026-11-19 UTC', 0), true);
  });

  it('knows the times of BigQuery, of exports and of zones', () => {
    const at = (data_execucao: unknown, timeZone?: string) =>
      iso(last([row({ data_execucao, tempo_execucao: 0 })], timeZone)?.begun);
    assert.equal(at({ value: '2026-11-20T03:00:00.123Z' }), '2026-11-20T03:00:00.000Z');
    assert.equal(at('2026-11-20 03:00:00 UTC'), '2026-11-20T03:00:00.000Z');
    assert.equal(at('2026-11-20 03:00:00-03:00'), '2026-11-20T06:00:00.000Z');
    assert.equal(at(' 2026-11-20T03:00:00+05:30 '), '2026-11-19T21:30:00.000Z');
    assert.equal(
      at({ value: '2026-11-20T03:00:00' }, 'America/Sao_Paulo'),
      '2026-11-20T06:00:00.000Z',
    );
    assert.equal(at('2026-11-20', 'America/Sao_Paulo'), '2026-11-20T03:00:00.000Z');
    for (const [text, problem] of [
      ['2026-11-20 03:00:00', /no time zone: give one by --time-zone/],
      ['20/11/2026', /is no time/],
      ['11/20/2026 03:00:00', /is no time/],
      ['2026-02-30T00:00:00Z', /a time that no clock shows/],
      ['2026-13-01T00:00:00Z', /a time that no clock shows/],
      ['2026-11-20T10:75:00Z', /a time that no clock shows/],
      ['2026-11-20T24:00:00Z', /a time that no clock shows/],
    ] as const) {
      assert.match((at(text) as { unknown: string }).unknown, problem);
    }
  });

  it('knows durations, and nothing that is none', () => {
    const begun = (tempo_execucao: unknown) => last([row({ tempo_execucao })])?.begun;
    assert.equal(iso(begun('01:00:30')), '2026-11-20T02:09:30.000Z');
    assert.equal(iso(begun({ value: '90.5' })), '2026-11-20T03:08:29.500Z');
    // The largest are moments, in milliseconds and nanoseconds, and no time since them is a date.
    for (const unknown of [null, '', '-5', 'PT1M', 1_795_333_217_783, 1.8e18, '9'.repeat(400)]) {
      assert.match(
        (begun(unknown) as { unknown: string }).unknown,
        /tempo_execucao is no duration/,
      );
    }
  });

  it('counts rows as programs print whole numbers', () => {
    const rows = (qtd_linhas: unknown) => last([row({ qtd_linhas })])?.rows;
    assert.deepEqual([12, '12', '12.0', 0, { value: '9' }].map(rows), [12, 12, 12, 0, 9]);
    assert.deepEqual(
      ['12.5', '1,200', '-3', '', null].map(rows),
      Array.from({ length: 5 }, () => undefined),
    );
  });

  it('succeeds by the words for it only', () => {
    const succeeded = (status: unknown) => last([row({ status })])?.succeeded;
    assert.deepEqual(['sucesso', 'Success', 'CONCLUÍDO'].map(succeeded), [true, true, true]);
    assert.deepEqual(
      ['FALHA', 'RUNNING', '', null, 'INSUCESSO', true].map(succeeded),
      Array(6).fill(false),
    );
  });

  it('names columns that are missing', () => {
    assert.throws(() => lastExecutions([{ tabela: 'a' }], { durationUnitMs: 1 }), {
      code: 'ConfigurationInvalid',
      message: /no nome_tabela, data_execucao/,
    });
  });
});

describe('a time on the clocks of a zone', () => {
  const moment = (text: string, zone: string) =>
    new Date(momentOf(Date.parse(`${text}Z`), zone)).toISOString();

  it('is the earlier of two where they are set back, and before the gap where they leave it out', () => {
    assert.equal(moment('2026-10-25T02:30:00', 'Europe/Berlin'), '2026-10-25T00:30:00.000Z');
    assert.equal(moment('2026-03-29T02:30:00', 'Europe/Berlin'), '2026-03-29T00:30:00.000Z');
    assert.equal(moment('2026-07-01T12:00:00', 'Europe/Berlin'), '2026-07-01T10:00:00.000Z');
    assert.equal(moment('2018-02-17T23:30:00', 'America/Sao_Paulo'), '2018-02-18T01:30:00.000Z');
  });
});

describe('a CSV', () => {
  it('has quotes, dividers and line ends of either kind', () => {
    assert.deepEqual(csvRows('a,b\r\n"x ""y"", z",2\r\n\r\n3,\r\n'), [
      { a: 'x "y", z', b: '2' },
      { a: '3', b: '' },
    ]);
    assert.deepEqual(csvRows('a;b\n"1\n2";3'), [{ a: '1\n2', b: '3' }]);
    assert.throws(() => csvRows('a,b\n"x" y,1'), /a quote is in the wrong place/);
  });
});
