import { relative } from 'node:path';
import { Command } from 'commander';
import type { Output } from '../../src/client/context';
import { removeAtTheEnd } from '../services/end-of-process';
import { tellStory, type DemoReport } from './demo';
import { stopKeptDemo, writeKept } from './kept';
import { createProgress } from './progress';
import { createScreen, darkScreen } from './screen';
import { startServers, type DemoServers } from './servers';
import {
  makeWorkspace,
  usualPath,
  workspaceAt,
  writeEnvironmentFile,
  type Workspace,
} from './workspace';

interface DemoOptions {
  readonly keep?: true;
  readonly stop?: true;
  readonly temp?: true;
  readonly json?: true;
}

const report = (text: string) => void process.stderr.write(text);
const print = (text: string) => void process.stdout.write(text);

async function demo(options: DemoOptions): Promise<void> {
  const progress = createProgress(report, Date.now);
  if (options.temp === undefined && (await stopKeptDemo(workspaceAt(usualPath))))
    progress.step('stopped the demo that was left running');
  if (options.stop) return;

  const workspace = await makeWorkspace(options.temp ?? false);
  if (options.temp) removeAtTheEnd(workspace.path);
  progress.note(`folder: ${workspace.path}`);
  progress.step('starting Temporal, MariaDB and PostgreSQL');
  const servers = await startServers(workspace, progress, { ownTemporal: options.temp ?? false });
  if (servers.temporal.uiUrl !== undefined) progress.note(`Web UI: ${servers.temporal.uiUrl}`);
  const screen = options.json ? darkScreen : createScreen(standardOutput(), process.env);
  const { report: story, worker } = await tellStory(workspace, servers, progress, screen);

  if (options.json) print(`${JSON.stringify(documentOf(story, servers, workspace))}\n`);
  else print(`${verdictOf(story)}\n\n`);
  if (story.deviations.length > 0) process.exitCode = 1;

  if (options.keep) {
    await writeEnvironmentFile(workspace, servers.environment);
    await writeKept(workspace, [worker.keep(), ...servers.started.map((one) => one.keep())]);
    if (!options.json) print(whatToTry(workspace, servers, story));
    return;
  }
  progress.step('stopping what was started');
  await worker.stop();
  await Promise.all(servers.started.map((one) => one.stop()));
  if (!options.json) print(whatWasLeft(workspace));
}

function documentOf(story: DemoReport, { temporal }: DemoServers, workspace: Workspace) {
  const { address, namespace, uiUrl } = temporal;
  return { ...story, temporal: { address, namespace, uiUrl }, lake: workspace.lake };
}

function verdictOf({ deviations, tables, secondRun }: DemoReport): string {
  if (deviations.length > 0)
    return ['This is not what the demo promises:', ...deviations].join('\n  ');
  const loaded = secondRun.reduce((sum, { summary }) => sum + summary.loaded, 0);
  return `${tables} tables loaded; then ${loaded} changed and loaded again, and ${tables - loaded} were proved unchanged. The lake has the rows of the databases.`;
}

function whatToTry(
  workspace: Workspace,
  { temporal }: DemoServers,
  { secondRun }: DemoReport,
): string {
  const environmentFile = relative('', workspace.environmentFile);
  return [
    ...(temporal.uiUrl === undefined ? [] : [`Web UI         ${temporal.uiUrl}`]),
    ...secondRun.map(({ link, pipeline }) => `${pipeline.padEnd(15)}${link ?? ''}`),
    `lake           ${relative('', workspace.lake)}`,
    '',
    'Everything runs on. To try next:',
    `  source ${environmentFile}        points the commands below at this demo`,
    '  npm run plan -- sales                what would load now, and why',
    '  npm run trigger -- sales products --force --wait',
    '  npm run history -- sales orders',
    '  npm run check',
    '  npm run demo -- --stop               stops everything',
    '',
  ].join('\n');
}

function whatWasLeft(workspace: Workspace): string {
  return [
    `The lake stays in ${relative('', workspace.lake)}. With everything running, to look around and`,
    'change things yourself: npm run demo -- --keep',
    '',
  ].join('\n');
}

function standardOutput(): Output {
  return {
    write: print,
    isTerminal: process.stdout.isTTY,
    columns: process.stdout.isTTY ? process.stdout.columns : undefined,
  };
}

const program = new Command('demo')
  .description(
    'Fill a MySQL-compatible and a PostgreSQL database with sample data, load them into a lake, ' +
      'change two tables, and load those two again.',
  )
  .option('--keep', 'leave everything running; `npm run demo -- --stop` ends it')
  .option('--stop', 'stop what was left running')
  .option('--json', 'print one JSON document on standard output, and nothing else there')
  .option('--temp', 'in a temporary folder, on a Temporal server of its own')
  .addHelpText('after', '\nExit codes: 0 all as promised, 1 not so, or something failed.')
  .action(demo);

program.parseAsync().catch((error: unknown) => {
  report(`${error instanceof Error ? error.message : String(error)}\n`);
  // Not by itself: what else was under way would go on to its end first.
  process.exit(1);
});
