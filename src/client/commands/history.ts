import { Command } from 'commander';
import { ComportaError } from '../../errors';
import type { History, HistoryEvent } from '../../history/history';
import type { Pipeline } from '../../pipeline/pipeline';
import type { CommandContext } from '../context';
import { EXIT, type ExitCode } from '../exit-codes';
import {
  atLeastOne,
  findPipeline,
  pipelinesOf,
  withCommonOptions,
  withHelpEnd,
  type CommonOptions,
} from '../options';
import { eventLines, stateLines, type PipelineState } from '../render/history-lines';
import { styleFor } from '../render/style';
import { findTableState } from '../table-state';
import { writeJson, writeLines } from '../write';

export interface HistoryOptions extends CommonOptions {
  readonly batch?: string;
  readonly failed?: true;
  readonly limit?: number;
}

const DEFAULT_EVENTS = 50;

export function historyCommand(context: CommandContext, finish: (code: ExitCode) => void): Command {
  const command = new Command('history')
    .description(
      'Show Historico_Execucao: where each table stands, or what happened to one table or in one batch.',
    )
    .argument('[pipeline]', 'name of the pipeline (default: all)')
    .argument('[table]', 'events of this table, newest first: name, or schema.name')
    .option('--batch <id>', 'the outcome of each table in that batch')
    .option('--failed', 'only what failed')
    .option(
      '--limit <number>',
      `at most so many lines (default: ${DEFAULT_EVENTS} events of a table, otherwise all)`,
      atLeastOne,
    )
    .action(
      async (pipeline: string | undefined, table: string | undefined, options: HistoryOptions) =>
        finish(await history(context, pipeline, table, options)),
    );
  return withHelpEnd(withCommonOptions(command, context.environment), [
    'npm run history -- sales',
    'npm run history -- sales orders --limit 10',
    'npm run history -- sales --batch 20261121T030000123Z --failed',
  ]);
}

export async function history(
  context: CommandContext,
  pipelineName: string | undefined,
  table: string | undefined,
  options: HistoryOptions,
): Promise<ExitCode> {
  const project = await context.loadProject(options.pipelines);
  const chosen = pipelinesOf(project, pipelineName);
  const store = await context.resources.history(project);
  const asLines = { width: context.stdout.columns, style: styleOf(context) };

  if (table === undefined && options.batch === undefined) {
    const states = limited(await statesOf(store, chosen, options), options.limit);
    if (options.json) writeJson(context.stdout, states);
    else writeLines(context.stdout, stateLines(states, asLines));
    return EXIT.done;
  }

  const events =
    table === undefined
      ? await eventsOfBatch(store, chosen, options)
      : await eventsOfTable(store, findPipeline(project, pipelineName ?? ''), table, options);
  if (options.json) writeJson(context.stdout, events);
  else writeLines(context.stdout, eventLines(events, asLines));
  return EXIT.done;
}

function styleOf(context: CommandContext) {
  return styleFor(context.stdout, context.environment);
}

async function statesOf(
  store: History,
  pipelines: readonly Pipeline[],
  { failed }: HistoryOptions,
): Promise<PipelineState[]> {
  const all = await Promise.all(
    pipelines.map(async ({ name }) =>
      [...(await store.states(name)).values()].map((state) => ({ pipeline: name, ...state })),
    ),
  );
  return all
    .flat()
    .filter(({ last }) => failed === undefined || last?.kind === 'FAILED')
    .sort((a, b) => compare(a.pipeline, b.pipeline) || compare(a.table, b.table));
}

/** Newest first. */
async function eventsOfTable(
  store: History,
  pipeline: Pipeline,
  name: string,
  { batch, failed, limit }: HistoryOptions,
): Promise<readonly HistoryEvent[]> {
  const { table } = findTableState(pipeline.name, await store.states(pipeline.name), name);
  return store.events({
    pipeline: pipeline.name,
    table,
    limit: limit ?? DEFAULT_EVENTS,
    ...(batch === undefined ? {} : { batch }),
    ...(failed === undefined ? {} : { kinds: ['FAILED'] }),
  });
}

/** One event per table: its outcome. */
async function eventsOfBatch(
  store: History,
  pipelines: readonly Pipeline[],
  { batch = '', failed, limit }: HistoryOptions,
): Promise<readonly HistoryEvent[]> {
  const outcomes = await Promise.all(pipelines.map(({ name }) => store.outcomes(name, batch)));
  const events = outcomes.flatMap((byTable) => [...byTable.values()]);
  if (events.length === 0) {
    throw new ComportaError('ConfigurationInvalid', `the history knows no batch "${batch}"`, {
      remedy: 'see a table\'s batches with "npm run history -- <pipeline> <table>"',
    });
  }
  const wanted = events
    .filter(({ kind }) => failed === undefined || kind === 'FAILED')
    .sort((a, b) => compare(a.pipeline, b.pipeline) || compare(a.table, b.table));
  return limited(wanted, limit);
}

function limited<Item>(items: readonly Item[], limit: number | undefined): readonly Item[] {
  return limit === undefined ? items : items.slice(0, limit);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
