import assert from 'node:assert/strict';
import { isClean, soak } from '../soak/soak';

describe('the soak, in short', function () {
  this.timeout(240_000);

  it('ends with a lake that equals its sources, and a reason for every load and every skip', async () => {
    const told: string[] = [];
    const report = await soak({
      seed: 7,
      tables: 30,
      goesOn: (days) => days < 4,
      faults: ['kill -9 a worker', 'restart a database', 'restart Temporal', 'cut all connections'],
      progress: (line) => told.push(line),
    });
    assert.ok(isClean(report), `${told.join('\n')}\n${JSON.stringify(report, undefined, 2)}`);
    assert.equal(report.days, 6);
    assert.ok(report.loads > 30 && report.skips > 30, told.join('\n'));
  });
});
