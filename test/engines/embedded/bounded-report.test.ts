import assert from 'node:assert/strict';
import type { LoadProgress } from '../../../src/engines/engine';
import { boundedReport } from '../../../src/engines/embedded/bounded-report';

describe('boundedReport', () => {
  it('passes on a change of phase at once, the rest at a bounded rate', () => {
    let time = 0;
    const sent: LoadProgress[] = [];
    const report = boundedReport(
      (progress) => sent.push(progress),
      200,
      () => time,
    );
    report({ phase: 'connecting', rows: 0, bytes: 0 });
    report({ phase: 'reading', rows: 0, bytes: 0 });
    for (time = 0; time < 1000; time += 10) report({ phase: 'reading', rows: time, bytes: 0 });
    report({ phase: 'publishing', rows: time, bytes: 0 });
    assert.deepEqual(
      sent.map(({ phase, rows }) => `${phase} ${rows}`),
      [
        'connecting 0',
        'reading 0',
        'reading 200',
        'reading 400',
        'reading 600',
        'reading 800',
        'publishing 1000',
      ],
    );
  });
});
