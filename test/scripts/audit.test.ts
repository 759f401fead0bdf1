import assert from 'node:assert/strict';
import { verdictOf, type AuditException } from '../../scripts/test/audit';

const advisory = (id: string, severity: string) => ({
  name: 'driver',
  title: `a hole ${id}`,
  url: `https://github.com/advisories/${id}`,
  severity,
});
const reportOf = (...via: (string | ReturnType<typeof advisory>)[]) => ({
  auditReportVersion: 2,
  vulnerabilities: { driver: { via } },
});
const excepted = (until: string): AuditException[] => [
  { advisory: 'GHSA-1', reason: 'the part is not used', until },
];
const TODAY = '2026-11-21';

describe('the audit of dependencies', () => {
  it('passes without advisories, and with such as are not grave', () => {
    assert.deepEqual(verdictOf(reportOf(), [], TODAY), { outcome: 'passed', text: '' });
    const moderate = reportOf(advisory('GHSA-1', 'moderate'), 'another-package');
    assert.equal(verdictOf(moderate, [], TODAY).outcome, 'passed');
  });

  it('fails for a grave one, and says which', () => {
    for (const severity of ['high', 'critical']) {
      const { outcome, text } = verdictOf(reportOf(advisory('GHSA-1', severity)), [], TODAY);
      assert.equal(outcome, 'failed');
      assert.equal(
        text,
        `driver: ${severity}: a hole GHSA-1, https://github.com/advisories/GHSA-1`,
      );
    }
  });

  it('lives with an excepted one until its day is over', () => {
    const report = reportOf(advisory('GHSA-1', 'high'));
    assert.equal(verdictOf(report, excepted(TODAY), TODAY).outcome, 'passed');
    assert.equal(verdictOf(report, excepted('2026-11-20'), TODAY).outcome, 'failed');
    const another = reportOf(advisory('GHSA-2', 'high'));
    assert.equal(verdictOf(another, excepted(TODAY), TODAY).outcome, 'failed');
  });

  it('is skipped, with the reason, where it could not be made', () => {
    const { outcome, text } = verdictOf({ message: '405 Method Not Allowed' }, [], TODAY);
    assert.deepEqual(
      [outcome, text],
      ['skipped', 'the registry knows of no advisories: 405 Method Not Allowed'],
    );
    assert.equal(verdictOf({}, [], TODAY).outcome, 'skipped');
  });
});
