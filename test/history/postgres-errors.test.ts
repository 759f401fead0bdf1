import assert from 'node:assert/strict';
import { ComportaError, type ErrorCode } from '../../src/errors';
import { historyErrorOfPostgres } from '../../src/history/postgres/errors';
import type { DatabaseConnection } from '../../src/pipeline/pipeline';

const CONNECTION: DatabaseConnection = {
  type: 'postgres',
  name: 'shared',
  host: 'db.example',
  port: 5432,
  user: 'comporta',
  database: 'lake',
  tls: { mode: 'verify-full' },
  connectTimeoutMs: 1_000,
  silenceTimeoutMs: 15_000,
};

function withCode(code: string, message = 'as it says'): Error {
  return Object.assign(new Error(message), { code });
}

describe('errors of the PostgreSQL history', () => {
  const cases: [string, Error, 'connect' | 'query', ErrorCode, RegExp][] = [
    ['a rejected password', withCode('28P01'), 'connect', 'AuthenticationFailed', /shared/],
    ['no pg_hba.conf entry', withCode('28000'), 'connect', 'AuthenticationFailed', /pg_hba/],
    ['a missing right', withCode('42501'), 'query', 'PermissionDenied', /docs\/history\.md/],
    ['an unknown database', withCode('3D000'), 'connect', 'ConfigurationInvalid', /lake/],
    [
      'an unknown certificate',
      withCode('SELF_SIGNED_CERT_IN_CHAIN'),
      'connect',
      'ConfigurationInvalid',
      /tls\.ca/,
    ],
    ['a dropped table', withCode('42P01'), 'query', 'HistoryFailed', /as it says/],
    ['a standby', withCode('25006'), 'query', 'HistoryFailed', /primary/],
    ['a full disk', withCode('53100'), 'query', 'HistoryFailed', /disk space/],
    ['too many clients', withCode('53300'), 'connect', 'HistoryFailed', /max_connections/],
    ['a deadlock', withCode('40P01'), 'query', 'HistoryFailed', /as it says/],
    ['a shutdown', withCode('57P01'), 'query', 'HistoryFailed', /as it says/],
    ['a closed port', withCode('ECONNREFUSED'), 'connect', 'HistoryFailed', /db\.example:5432/],
    [
      'a cut connection',
      new Error('Connection terminated unexpectedly'),
      'query',
      'HistoryFailed',
      /terminated/,
    ],
    [
      'a statement without answer',
      new Error('Query read timeout'),
      'query',
      'HistoryFailed',
      /timeout/,
    ],
  ];
  for (const [name, error, phase, code, message] of cases) {
    it(`${name} is ${code}`, () => {
      const mapped = historyErrorOfPostgres(error, CONNECTION, phase);
      assert.strictEqual(mapped.code, code);
      assert.match(mapped.message, /^the history/);
      assert.match(mapped.message, message);
      assert.strictEqual(mapped.cause, error);
    });
  }

  it("that are Comporta's own pass", () => {
    const own = new ComportaError('ConfigurationInvalid', 'a secret is missing');
    assert.strictEqual(historyErrorOfPostgres(own, CONNECTION, 'connect'), own);
  });
});
