import { Command, InvalidArgumentError } from 'commander';
import { formatCount, formatElapsed } from '../../src/client/render/units';
import { CHECKS, isClean, soak, type SoakReport } from './soak';

interface Arguments {
  readonly hours: number;
  readonly tables: number;
  readonly seed: number;
  readonly json: boolean;
}

function positive(text: string): number {
  const number = Number(text);
  if (!(number > 0)) throw new InvalidArgumentError('It takes a number above 0.');
  return number;
}

function wholeNumber(text: string): number {
  const number = positive(text);
  if (!Number.isInteger(number)) throw new InvalidArgumentError('It takes a whole number from 1.');
  return number;
}

const program = new Command('soak')
  .description(
    'Simulated days on databases, a Temporal and workers of its own: random changes and faults, then lake and history are held against the sources.',
  )
  .option('--hours <number>', 'how long days go on; the last one is ended', positive, 2)
  .option('--tables <number>', 'half of them in MariaDB, half in PostgreSQL', wholeNumber, 300)
  .option('--seed <number>', 'the same seed makes the same changes and faults', wholeNumber, 1)
  .option('--json', 'the report as one JSON document', false)
  .addHelpText(
    'after',
    '\nExit codes: 0 nothing is wrong, 1 something is; its folder is kept then.',
  )
  .action(async ({ hours, tables, seed, json }: Arguments) => {
    const report = await soak({
      seed,
      tables,
      goesOn: (_days, elapsedMs) => elapsedMs < hours * 3_600_000,
      progress: (line) => process.stderr.write(`${line}\n`),
    });
    process.stdout.write(json ? `${JSON.stringify(report)}\n` : textOf(report));
    if (!isClean(report)) process.exitCode = 1;
  });

function textOf(report: SoakReport): string {
  const { days, loads, skips, rows, failedLoads, changes, faults, seconds, folder } = report;
  const lines = [
    `${days} days with ${formatCount(report.tables)} tables in ${formatElapsed(seconds * 1000)}, seed ${report.seed}`,
    `${formatCount(changes)} changes; ${formatCount(loads)} loads (${formatCount(rows)} rows), ${formatCount(skips)} skips, ${formatCount(failedLoads)} failed loads that came right later`,
    ...Object.entries(faults).map(([kind, count]) => `  ${count} × ${kind}`),
    ...CHECKS.flatMap((check) => [
      `${WORDS[check]}: ${formatCount(report[check].length)}`,
      ...report[check].map((line) => `  ${line}`),
    ]),
    ...(folder === undefined ? [] : [`kept: ${folder}`]),
  ];
  return `${lines.join('\n')}\n`;
}

const WORDS: Readonly<Record<(typeof CHECKS)[number], string>> = {
  different: 'tables that differ from their source',
  missed: 'changes missed',
  unexplained: 'loads without a reason',
  loadedWhenQuiet: 'loads on the quiet day',
  unexplainedFailures: 'failures without a fault',
  contradictions: 'contradictions in the history',
  leftovers: 'left behind',
  workersLost: 'workers that ended by themselves',
};

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(
    `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exitCode = 1;
});
