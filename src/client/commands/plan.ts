import { Command } from 'commander';
import { makePlan } from '../../plan/make-plan';
import type { Plan } from '../../plan/plan';
import type { CommandContext } from '../context';
import { EXIT, type ExitCode } from '../exit-codes';
import { findPipeline, withCommonOptions, withHelpEnd, type CommonOptions } from '../options';
import { styleFor, type Style } from '../render/style';
import { renderTable, type Cell, type Column } from '../render/table';
import { formatCount } from '../render/units';
import { printable } from '../render/text';
import { batchIdAt } from '../trigger/start';
import { writeJson, writeLines } from '../write';

export interface PlanOptions extends CommonOptions {
  readonly force?: true;
  readonly failedOf?: string;
}

export function planCommand(context: CommandContext, finish: (code: ExitCode) => void): Command {
  const command = new Command('plan')
    .description('Show what a load would do now, and why; starts nothing and records nothing.')
    .argument('<pipeline>', 'name of the pipeline')
    .argument('[table...]', 'only these tables: name, or schema.name')
    .option('--force', 'as if loading whatever the detection says')
    .option('--failed-of <batch>', 'only the tables that failed in that batch')
    .action(async (pipeline: string, tables: string[], options: PlanOptions) =>
      finish(await plan(context, pipeline, tables, options)),
    );
  return withHelpEnd(withCommonOptions(command, context.environment), [
    'npm run plan -- sales',
    'npm run plan -- sales orders --json',
  ]);
}

export async function plan(
  context: CommandContext,
  pipelineName: string,
  tables: readonly string[],
  { pipelines, json, force, failedOf }: PlanOptions,
): Promise<ExitCode> {
  const project = await context.loadProject(pipelines);
  const pipeline = findPipeline(project, pipelineName);
  const made = await makePlan(
    {
      pipeline,
      source: context.resources.source(project, pipeline),
      destination: context.resources.destination(project, pipeline),
      history: await context.resources.history(project),
      now: () => context.now(),
    },
    {
      pipeline: pipeline.name,
      batch: batchIdAt(context.now()),
      ...(tables.length === 0 ? {} : { tables }),
      ...(force === undefined ? {} : { force }),
      ...(failedOf === undefined ? {} : { failedOf }),
    },
  );
  if (json) {
    writeJson(context.stdout, made);
  } else {
    const style = styleFor(context.stdout, context.environment);
    writeLines(context.stdout, planLines(made, context.stdout.columns, style));
  }
  return EXIT.done;
}

const LOADS: readonly Column[] = [
  { title: 'load' },
  { title: 'mode' },
  { title: 'verdict' },
  { title: 'reason', flexible: true },
];

const SKIPS: readonly Column[] = [{ title: 'skip' }, { title: 'proof', flexible: true }];

/** The plan as two tables: what loads and why, what does not and the proof. */
export function planLines(made: Plan, width: number | undefined, style: Style): string[] {
  const loads = made.loads.map(({ table, mode, decision }): Cell[] => [
    table,
    mode,
    { text: decision.verdict, paint: decision.verdict === 'changed' ? style.yellow : style.bold },
    decision.reason,
  ]);
  const skips = made.skips.map(({ table, decision }) => [table, decision.reason]);
  const layout = { width, style };
  return [
    ...(loads.length === 0 ? [] : [...renderTable(LOADS, loads, layout), '']),
    ...(skips.length === 0 ? [] : [...renderTable(SKIPS, skips, layout), '']),
    ...made.warnings.map((warning) => style.yellow(`warning: ${printable(warning)}`)),
    `${style.bold(made.pipeline)}  ${formatCount(loads.length)} to load, ${formatCount(skips.length)} unchanged, from ${made.source} to ${made.destination}`,
  ];
}
