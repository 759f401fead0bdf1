import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';
import type { Counts } from './counts';

/** Mocha's dots, and the counts written to the file that `COMPORTA_TEST_COUNTS` names. */
class CountingReporter extends Mocha.reporters.Dot {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = this.stats;
      const counts: Counts = { passed: passes, failed: failures, skipped: pending };
      const file = process.env['COMPORTA_TEST_COUNTS'];
      if (file !== undefined) writeFileSync(file, JSON.stringify(counts));
    });
  }
}

export = CountingReporter;
