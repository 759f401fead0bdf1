import { randomUUID } from 'node:crypto';
import { Command } from 'commander';
import { ComportaError } from '../../errors';
import { eventId, type HistoryEvent, type TableState } from '../../history/history';
import type { Pipeline } from '../../pipeline/pipeline';
import { settingsFor } from '../../pipeline/settings';
import type { CommandContext } from '../context';
import { EXIT, type ExitCode } from '../exit-codes';
import { findPipeline, withCommonOptions, withHelpEnd, type CommonOptions } from '../options';
import { formatCount, formatTime } from '../render/units';
import { findTableState } from '../table-state';
import { printable } from '../render/text';
import { writeJson, writeLines } from '../write';

export interface ResetOptions extends CommonOptions {
  readonly all?: true;
}

export function resetCommand(context: CommandContext, finish: (code: ExitCode) => void): Command {
  const command = new Command('reset')
    .description('Forget the last load of a table, so that the next plan loads the whole of it.')
    .argument('<pipeline>', 'name of the pipeline')
    .argument('[table...]', 'the tables: name, or schema.name')
    .option('--all', 'every table of the pipeline that was ever loaded')
    .action(async (pipeline: string, tables: string[], options: ResetOptions) =>
      finish(await reset(context, pipeline, tables, options)),
    );
  return withHelpEnd(withCommonOptions(command, context.environment), [
    'npm run reset -- sales orders',
    'npm run reset -- sales --all',
  ]);
}

export async function reset(
  context: CommandContext,
  pipelineName: string,
  tables: readonly string[],
  { pipelines, json, all }: ResetOptions,
): Promise<ExitCode> {
  if (tables.length > 0 === (all === true)) {
    throw new ComportaError('ConfigurationInvalid', 'reset takes either tables or --all');
  }
  const project = await context.loadProject(pipelines);
  const pipeline = findPipeline(project, pipelineName);
  const history = await context.resources.history(project);
  const states = await history.states(pipeline.name);
  const chosen =
    all === true
      ? [...states.values()].filter(({ lastSuccess }) => lastSuccess !== undefined)
      : tables.map((table) => findTableState(pipeline.name, states, table));

  await history.append(chosen.map(({ table }) => resetEvent(pipeline, table, context.now())));
  if (json) {
    writeJson(context.stdout, {
      pipeline: pipeline.name,
      reset: chosen.map(({ table, lastSuccess }) => ({ table, forgotten: lastSuccess })),
    });
  } else {
    writeLines(
      context.stdout,
      chosen.length === 0
        ? [`${pipeline.name}: nothing was loaded yet, so there is nothing to forget`]
        : chosen.map((state) => printable(sentence(pipeline, state))),
    );
  }
  return EXIT.done;
}

function resetEvent(pipeline: Pipeline, table: string, now: Date): HistoryEvent {
  return {
    id: eventId({ kind: 'RESET', pipeline: pipeline.name, table, scope: randomUUID() }),
    kind: 'RESET',
    recordedAt: now.toISOString(),
    pipeline: pipeline.name,
    table,
    batch: '',
    run: '',
  };
}

function sentence(pipeline: Pipeline, { table, lastSuccess }: TableState): string {
  if (lastSuccess === undefined) {
    return `${table}: had no load to forget; the next plan loads it (no successful load yet)`;
  }
  const { mode } = settingsFor(pipeline, table);
  const how = mode === 'full' ? 'loads it' : `loads the whole of it (mode ${mode})`;
  return `${table}: forgot the load of ${formatTime(lastSuccess.endedAt)} UTC with ${formatCount(lastSuccess.rowsRead)} rows; the next plan ${how}, and the lake keeps its present state until then`;
}
