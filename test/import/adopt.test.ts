import assert from 'node:assert/strict';
import { objection, objectionOfCounts, type AdoptionFacts } from '../../src/import/adopt';
import type { OldExecution } from '../../src/import/old-history';
import { FULL_LOAD } from '../support/table-settings';

const changedAt = Date.parse('2026-11-20T02:00:00Z');

const EXECUTION: OldExecution = {
  ...{ table: 'alunos', recorded: '2026-11-20 03:00:00', status: 'SUCESSO', succeeded: true },
  begun: Date.parse('2026-11-20T03:00:00Z'),
  ...{ overBy: 0, rows: 3, durationMs: 60_000 },
};

const facts = (changes: Partial<AdoptionFacts> = {}): AdoptionFacts => ({
  ...{ settings: FULL_LOAD, state: undefined, execution: EXECUTION, table: 'alunos' },
  ...{ marginMs: 600_000, noRenames: false },
  token: {
    sourceTime: '2026-11-21T00:00:00.000000Z',
    evidence: [{ strategy: 'token', identity: {}, values: {} }],
  },
  changes: { stamped: 'commit', replacements: 0, tables: new Map([['alunos', { at: changedAt }]]) },
  ...changes,
});

const changed = (
  change: { readonly at: number } | { readonly unknown: string },
  replacements = 0,
) => facts({ changes: { stamped: 'commit', replacements, tables: new Map([['alunos', change]]) } });

describe('adopting the last load of another system', () => {
  it('has nothing against a table that last changed well before it', () => {
    assert.equal(objection(facts()), undefined);
  });

  const refusals: readonly (readonly [string, AdoptionFacts, RegExp])[] = [
    ['one that the old history does not know', facts({ execution: undefined }), /does not know/],
    [
      'one whose last execution failed',
      facts({ execution: { ...EXECUTION, succeeded: false, status: 'FALHA' } }),
      /no success \(FALHA\)/,
    ],
    [
      'one with a history here, were it a reset',
      facts({ state: { table: 'alunos', last: { kind: 'RESET' } as never } }),
      /has a history of it already/,
    ],
    [
      'one that goes on from a cursor',
      facts({ settings: { ...FULL_LOAD, mode: 'append' } }),
      /^mode append/,
    ],
    [
      'one that a filter shapes',
      facts({ settings: { ...FULL_LOAD, where: 'id > 1' } }),
      /settings shape what is loaded/,
    ],
    [
      'one that loads columns as text',
      facts({ settings: { ...FULL_LOAD, textColumns: ['valor'] } }),
      /settings shape what is loaded/,
    ],
    [
      'one that leaves columns out',
      facts({ settings: { ...FULL_LOAD, excludeColumns: ['foto'] } }),
      /settings shape what is loaded/,
    ],
    [
      'one that a mask shapes',
      facts({ settings: { ...FULL_LOAD, masks: { cpf: { method: 'redact', text: '*' } } } }),
      /settings shape what is loaded/,
    ],
    [
      'one that the source says nothing of',
      changed({ unknown: 'it is partitioned' }),
      /partitioned/,
    ],
    ['one that is not in the catalogue', facts({ table: 'other' }), /does not show it/],
    [
      'one that changed after it',
      changed({ at: EXECUTION.begun as number }),
      /^it changed at 2026-11-20T03:00:00.000Z, which is not 600 s before/,
    ],
    [
      'one that changed within the margin',
      changed({ at: (EXECUTION.begun as number) - 600_000 }),
      /^it changed at/,
    ],
    [
      'one whose execution has no zone',
      facts({ execution: { ...EXECUTION, begun: { unknown: 'no time zone' } } }),
      /no time zone/,
    ],
    [
      'one whose execution lies in the future',
      facts({ execution: { ...EXECUTION, begun: Date.parse('2026-11-21T00:00:01Z') } }),
      /in the future/,
    ],
    ['any where tables were renamed', changed({ at: changedAt }, 2), /^2 statements.*--no-renames/],
    [
      'any where renames are not counted',
      facts({ changes: { stamped: 'commit', tables: new Map([['alunos', { at: changedAt }]]) } }),
      /does not count.*--no-renames/,
    ],
    [
      'one whose state cannot be vouched for from now on',
      facts({
        token: {
          sourceTime: '2026-11-21T00:00:00.000000Z',
          evidence: [{ strategy: 'token', identity: {}, values: {}, distrust: 'not settled' }],
        },
      }),
      /^not settled$/,
    ],
    [
      'one of which the source gave no evidence',
      facts({ token: { sourceTime: '2026-11-21T00:00:00.000000Z', evidence: [] } }),
      /gave no evidence of its state/,
    ],
  ];
  for (const [what, given, why] of refusals) {
    it(`refuses ${what}`, () => assert.match(objection(given) ?? '', why));
  }

  it('needs one kind of evidence that can be trusted', () => {
    const log = { strategy: 'log', identity: {}, values: {} } as const;
    const evidence = [
      { ...log, distrust: 'no right to read it' },
      { ...log, strategy: 'token' as const },
    ];
    const token = { sourceTime: '2026-11-21T00:00:00.000000Z', evidence };
    assert.equal(objection(facts({ token })), undefined);
  });

  it('takes the word of somebody who looked for renames', () => {
    assert.equal(objection({ ...changed({ at: changedAt }, 2), noRenames: true }), undefined);
  });

  it('wants the same count at the source, in the old history and at the destination', () => {
    const counts = (source: number, execution: number | undefined, destination: number) =>
      objectionOfCounts({ source, execution, destination });
    assert.equal(counts(3, 3, 3), undefined);
    assert.match(counts(3, undefined, 3) ?? '', /qtd_linhas is no number/);
    assert.match(counts(3, 2, 3) ?? '', /3 rows, and its last execution had 2/);
    assert.match(counts(3, 3, 4) ?? '', /the destination 4/);
  });
});
