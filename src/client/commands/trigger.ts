import { Command } from 'commander';
import { messageOf } from '../../errors';
import type { HistoryEvent } from '../../history/history';
import type { Pipeline, Project } from '../../pipeline/pipeline';
import type { TemporalClient } from '../../temporal/connection';
import { callTemporal } from '../../temporal/errors';
import { idleQueues } from '../../temporal/task-queues';
import { webUiAddress, workflowLink } from '../../temporal/web-ui';
import type { BatchSummary, ControllerInput } from '../../workflows/api';
import type { CommandContext } from '../context';
import { EXIT, type ExitCode } from '../exit-codes';
import {
  findPipeline,
  withHelpEnd,
  withTemporalOptions,
  type TemporalCommandOptions,
} from '../options';
import { styleFor } from '../render/style';
import { batchIdAt, checkBatchName, startBatch } from '../trigger/start';
import { outcomeLines } from '../trigger/outcome-lines';
import { untilPlanned } from '../trigger/planned';
import { idleHint } from '../trigger/progress-lines';
import { waitForBatch, type Waiting } from '../trigger/wait';
import { writeJson, writeLines } from '../write';

export interface TriggerOptions extends TemporalCommandOptions {
  readonly force?: true;
  readonly failedOf?: string;
  readonly batch?: string;
  readonly wait?: true;
  readonly ui?: string;
}

export function triggerCommand(context: CommandContext, finish: (code: ExitCode) => void): Command {
  const command = new Command('trigger')
    .description('Load now what changed in a pipeline, or in some of its tables.')
    .argument('<pipeline>', 'name of the pipeline')
    .argument('[table...]', 'only these tables: name, or schema.name')
    .option('--force', 'load whatever the detection says')
    .option('--failed-of <batch>', 'only the tables that failed in that batch')
    .option('--batch <id>', 'name of this batch (default: the time, 20261121T030000123Z)')
    .option('--wait', 'wait for the end, show the progress, and exit with 1 if a table failed')
    .option(
      '--ui <address>',
      "address of Temporal's Web UI, for the link (default: TEMPORAL_UI_ADDRESS, or what is usual)",
    )
    .action(async (pipeline: string, tables: string[], options: TriggerOptions) =>
      finish(await trigger(context, pipeline, tables, options)),
    );
  return withHelpEnd(withTemporalOptions(command, context.environment), [
    'npm run trigger -- sales --wait',
    'npm run trigger -- sales orders customers --force',
    'npm run trigger -- sales --failed-of 20261121T030000123Z --wait',
  ]);
}

export async function trigger(
  context: CommandContext,
  pipelineName: string,
  tables: readonly string[],
  options: TriggerOptions,
): Promise<ExitCode> {
  const project = await context.loadProject(options.pipelines);
  const pipeline = findPipeline(project, pipelineName);
  const batch = options.batch ?? batchIdAt(context.now());
  checkBatchName(batch);
  const temporal = await context.openClient(options.profile);
  try {
    const handle = await startBatch(temporal, inputOf(pipeline, batch, tables, options));
    const started = describeStart(context, temporal, handle.workflowId, options);
    // A result that is waited for belongs to standard output; the start does not.
    writeLines(options.wait || options.json ? context.stderr : context.stdout, started.lines);
    const document = { pipeline: pipeline.name, batch, ...started.document };
    const waiting = { pipeline: pipeline.name, batch, handle, startedAt: context.now() };
    if (!options.wait) {
      const idle = await callTemporal(temporal, () => idleQueues(temporal, context.now()));
      writeLines(context.stderr, idle.map(idleHint));
      const isPicky = tables.length > 0 || options.failedOf !== undefined;
      if (isPicky && idle.length === 0) await untilPlanned(temporal, waiting);
      if (options.json) writeJson(context.stdout, document);
      return EXIT.done;
    }
    return await waitAndReport(context, temporal, { project, waiting, document, options });
  } finally {
    await temporal.close();
  }
}

function inputOf(
  pipeline: Pipeline,
  batch: string,
  tables: readonly string[],
  { force, failedOf }: TriggerOptions,
): ControllerInput & { readonly batch: string } {
  return {
    pipeline: pipeline.name,
    batch,
    ...(tables.length === 0 ? {} : { tables }),
    ...(force === undefined ? {} : { force }),
    ...(failedOf === undefined ? {} : { failedOf }),
  };
}

function describeStart(
  context: CommandContext,
  { address, namespace }: TemporalClient,
  workflowId: string,
  options: TriggerOptions,
): { lines: string[]; document: { workflowId: string; link?: string } } {
  const ui = webUiAddress(options.ui, context.environment, address);
  const link = ui === undefined ? undefined : workflowLink(ui, namespace, workflowId);
  return {
    lines: [`started ${workflowId}`, ...(link === undefined ? [] : [link])],
    document: { workflowId, link },
  };
}

interface Report {
  readonly project: Project;
  readonly waiting: Waiting;
  readonly document: object;
  readonly options: TriggerOptions;
}

async function waitAndReport(
  context: CommandContext,
  temporal: TemporalClient,
  { project, waiting, document, options }: Report,
): Promise<ExitCode> {
  const summary = await waitForBatch(context, temporal, waiting);
  if (summary === undefined) {
    writeLines(context.stderr, [
      `no longer waiting; the load goes on as ${waiting.handle.workflowId}. To end it: temporal workflow cancel --workflow-id ${waiting.handle.workflowId}`,
    ]);
    if (options.json) writeJson(context.stdout, { ...document, interrupted: true });
    return EXIT.interrupted;
  }
  const outcomes = await outcomesOf(context, project, summary);
  if (options.json) {
    writeJson(context.stdout, { ...document, summary, outcomes: [...outcomes.values()] });
  } else {
    const style = styleFor(context.stdout, context.environment);
    const elapsedMs = context.now().getTime() - waiting.startedAt.getTime();
    const { columns } = context.stdout;
    writeLines(context.stdout, outcomeLines(summary, outcomes, elapsedMs, columns, style));
  }
  return summary.failed > 0 ? EXIT.failed : EXIT.done;
}

/** Per table from the history; without it the summary has to do. */
async function outcomesOf(
  context: CommandContext,
  project: Project,
  { pipeline, batch }: BatchSummary,
): Promise<ReadonlyMap<string, HistoryEvent>> {
  try {
    const history = await context.resources.history(project);
    return await history.outcomes(pipeline, batch);
  } catch (error) {
    writeLines(context.stderr, [
      `the outcome of each table is not known here: ${messageOf(error)}`,
    ]);
    return new Map();
  }
}
