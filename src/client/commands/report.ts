import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { ComportaError, messageOf } from '../../errors';
import { loadTemporalOptions } from '../../temporal/connection';
import { webUiAddress, workflowLink } from '../../temporal/web-ui';
import type { CommandContext } from '../context';
import { EXIT, type ExitCode } from '../exit-codes';
import {
  atLeastOne,
  pipelinesOf,
  withHelpEnd,
  withTemporalOptions,
  type TemporalCommandOptions,
} from '../options';
import { reportPage } from '../report/page';
import { buildReport } from '../report/report';
import { writeJson, writeLines } from '../write';

export interface ReportOptions extends TemporalCommandOptions {
  readonly output: string;
  readonly days: number;
  readonly webUi?: string;
}

export function reportCommand(context: CommandContext, finish: (code: ExitCode) => void): Command {
  const command = new Command('report')
    .description(
      'Write one page on all tables: how fresh they are, their last loads over time, what failed and why.',
    )
    .argument('[pipeline]', 'name of the pipeline (default: all)')
    .option('--output <file>', 'where the page goes', 'comporta-report.html')
    .option('--days <number>', 'loads of so many days', atLeastOne, 30)
    .option('--web-ui <url>', "address of Temporal's Web UI (default: TEMPORAL_UI_ADDRESS)")
    .action(async (pipeline: string | undefined, options: ReportOptions) =>
      finish(await report(context, pipeline, options)),
    );
  return withHelpEnd(withTemporalOptions(command, context.environment), [
    'npm run report',
    'npm run report -- sales --days 90 --output /srv/www/sales.html',
    'npm run report -- --json',
  ]);
}

/** With --json the report's data goes to standard output, and no page is written. */
export async function report(
  context: CommandContext,
  pipelineName: string | undefined,
  options: ReportOptions,
): Promise<ExitCode> {
  const project = await context.loadProject(options.pipelines);
  const names = pipelinesOf(project, pipelineName).map(({ name }) => name);
  const history = await context.resources.history(project);
  const data = await buildReport(history, names, { now: context.now(), days: options.days });
  if (options.json) {
    writeJson(context.stdout, data);
    return EXIT.done;
  }
  const { address, namespace } = loadTemporalOptions(context.environment, options.profile);
  const ui = webUiAddress(options.webUi, context.environment, address);
  const linkTo = (workflowId: string, runId: string | undefined) =>
    ui === undefined ? undefined : workflowLink(ui, namespace, workflowId, runId);
  const file = resolve(options.output);
  await writePage(file, reportPage(data, { linkTo }));
  writeLines(context.stdout, [file]);
  return EXIT.done;
}

async function writePage(file: string, page: string): Promise<void> {
  try {
    await writeFile(file, page);
  } catch (error) {
    throw new ComportaError(
      'ConfigurationInvalid',
      `the report cannot be written: ${messageOf(error)}`,
      { remedy: 'name another file with --output', cause: error },
    );
  }
}
