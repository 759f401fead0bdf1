import { Command } from 'commander';
import type { CommandContext } from '../context';
import { EXIT, type ExitCode } from '../exit-codes';
import {
  pipelinesOf,
  withHelpEnd,
  withTemporalOptions,
  type TemporalCommandOptions,
} from '../options';
import { checkHistory } from '../check/history';
import { checkPipeline, MOST_TABLES } from '../check/pipeline';
import { checkTemporal } from '../check/temporal';
import { enginesOf } from '../../pipeline/engines-of';
import { checkLines } from '../check/lines';
import type { CheckGroup } from '../check/group';
import { styleFor } from '../render/style';
import { writeJson, writeLines } from '../write';

export interface CheckOptions extends TemporalCommandOptions {
  readonly deep?: true;
}

export function checkCommand(context: CommandContext, finish: (code: ExitCode) => void): Command {
  const command = new Command('check')
    .description(
      'Validate the files, connect to everything, and name what is missing with what mends it.',
    )
    .argument('[pipeline...]', 'names of the pipelines (default: all)')
    .option('--deep', `look at every table's columns, even of more than ${MOST_TABLES} tables`)
    .action(async (pipelines: string[], options: CheckOptions) =>
      finish(await check(context, pipelines, options)),
    );
  return withHelpEnd(withTemporalOptions(command, context.environment), [
    'npm run check',
    'npm run check -- sales --deep --json',
  ]);
}

export async function check(
  context: CommandContext,
  names: readonly string[],
  options: CheckOptions,
): Promise<ExitCode> {
  const project = await context.loadProject(options.pipelines);
  const pipelines =
    names.length === 0
      ? pipelinesOf(project, undefined)
      : names.flatMap((name) => pipelinesOf(project, name));

  const groups: CheckGroup[] = [];
  const note = (subject: string) => {
    if (context.stderr.isTerminal) writeLines(context.stderr, [`checking ${subject}`]);
  };
  for (const pipeline of pipelines) {
    note(pipeline.name);
    groups.push(...(await checkPipeline(context, project, pipeline, options.deep === true)));
  }
  note('the history and Temporal');
  groups.push(await checkHistory(context, project));
  groups.push(await checkTemporal(context, options.profile, enginesOf(pipelines)));

  const findings = groups.flatMap((group) => group.findings);
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  if (options.json) {
    writeJson(context.stdout, { errors, warnings: findings.length - errors, groups });
  } else {
    const style = styleFor(context.stdout, context.environment);
    writeLines(context.stdout, checkLines(groups, context.stdout.columns, style));
  }
  return errors > 0 ? EXIT.failed : EXIT.done;
}
