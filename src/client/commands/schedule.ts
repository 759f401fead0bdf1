import { Command } from 'commander';
import type { TemporalClient } from '../../temporal/connection';
import type { CommandContext } from '../context';
import { EXIT, type ExitCode } from '../exit-codes';
import { withHelpEnd, withTemporalOptions, type TemporalCommandOptions } from '../options';
import { styleFor } from '../render/style';
import { applicationLines, listLines } from '../schedule/lines';
import { applySchedules } from '../schedule/apply';
import { listSchedules } from '../schedule/list';
import { deleteSchedule, pauseSchedule, resumeSchedule, triggerSchedule } from '../schedule/one';
import { writeJson, writeLines } from '../write';

interface ApplyOptions extends TemporalCommandOptions {
  readonly prune?: true;
}

interface PauseOptions extends TemporalCommandOptions {
  readonly note?: string;
}

export function scheduleCommand(
  context: CommandContext,
  finish: (code: ExitCode) => void,
): Command {
  const { environment } = context;
  const command = new Command('schedule').description(
    'Keep the schedules in Temporal as the pipeline files say.',
  );
  const subcommand = (name: string, description: string, argument: string) =>
    withTemporalOptions(
      command.command(name).description(description).argument(argument, 'name of the pipeline'),
      environment,
    );

  subcommand('apply', 'create and update schedules from the files; equal ones stay', '[pipeline]')
    .option('--prune', 'delete the schedules that no file has any more')
    .action(async (pipeline: string | undefined, options: ApplyOptions) => {
      await withClient(context, options, async (temporal) => {
        const project = await context.loadProject(options.pipelines);
        const result = await applySchedules(temporal, project, pipeline, options.prune === true);
        if (options.json) writeJson(context.stdout, result);
        else writeLines(context.stdout, applicationLines(result, styleOf(context)));
      });
      finish(EXIT.done);
    });

  subcommand('list', 'show each schedule: when, its state, next and last run', '[pipeline]').action(
    async (pipeline: string | undefined, options: TemporalCommandOptions) => {
      await withClient(context, options, async (temporal) => {
        const project = await context.loadProject(options.pipelines);
        const schedules = await listSchedules(temporal, project, pipeline);
        if (options.json) writeJson(context.stdout, schedules);
        else {
          const layout = { width: context.stdout.columns, style: styleOf(context) };
          writeLines(context.stdout, listLines(schedules, layout));
        }
      });
      finish(EXIT.done);
    },
  );

  const one =
    <Options extends TemporalCommandOptions>(
      act: (temporal: TemporalClient, pipeline: string, options: Options) => Promise<string>,
    ) =>
    async (pipeline: string, options: Options) => {
      await withClient(context, options, async (temporal) => {
        const sentence = await act(temporal, pipeline, options);
        if (options.json) writeJson(context.stdout, { pipeline, done: sentence });
        else writeLines(context.stdout, [sentence]);
      });
      finish(EXIT.done);
    };

  subcommand('pause', 'start no more runs until it is resumed; survives apply', '<pipeline>')
    .option('--note <text>', 'why, shown in the Web UI and by list')
    .action(
      one<PauseOptions>((temporal, pipeline, { note }) => pauseSchedule(temporal, pipeline, note)),
    );
  subcommand('resume', 'undo a pause', '<pipeline>').action(one(resumeSchedule));
  subcommand('trigger', 'run it now, as if it were due', '<pipeline>').action(one(triggerSchedule));
  subcommand('delete', 'remove it from Temporal; a batch that runs goes on', '<pipeline>').action(
    one(deleteSchedule),
  );

  return withHelpEnd(command, [
    'npm run schedule -- apply',
    'npm run schedule -- list --json',
    'npm run schedule -- pause sales --note "migration until noon"',
  ]);
}

async function withClient(
  context: CommandContext,
  { profile }: TemporalCommandOptions,
  work: (temporal: TemporalClient) => Promise<void>,
): Promise<void> {
  const temporal = await context.openClient(profile);
  try {
    await work(temporal);
  } finally {
    await temporal.close();
  }
}

function styleOf(context: CommandContext) {
  return styleFor(context.stdout, context.environment);
}
