import { readFile, writeFile } from 'node:fs/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { parseDocument, stringify } from 'yaml';
import { eventId, type HistoryEvent } from '../../history/history';
import { objection, objectionOfCounts } from '../../import/adopt';
import { matchTable } from '../../import/match';
import { lastExecutions, type OldExecution } from '../../import/old-history';
import { oldRows, readText } from '../../import/old-rows';
import { heldTables } from '../../import/held-tables';
import { tableList } from '../../import/table-list';
import { DURATION_PATTERN, parseDuration } from '../../pipeline/duration';
import type { Pipeline, Project } from '../../pipeline/pipeline';
import { selectTables, settingsFor } from '../../pipeline/settings';
import { isTimeZone } from '../../pipeline/time-zone';
import { tokenRequest } from '../../plan/make-plan';
import { settingsFingerprint } from '../../plan/settings-fingerprint';
import type { Source, SourceTable } from '../../sources/source';
import type { CommandContext } from '../context';
import { EXIT, type ExitCode } from '../exit-codes';
import { findPipeline, withCommonOptions, withHelpEnd, type CommonOptions } from '../options';
import { styleFor } from '../render/style';
import { renderTable } from '../render/table';
import { printable } from '../render/text';
import { formatCount } from '../render/units';
import { batchIdAt } from '../trigger/start';
import { writeJson, writeLines } from '../write';

interface ImportOptions extends CommonOptions {
  readonly write?: true;
}

export interface ImportTablesOptions extends ImportOptions {
  readonly variable?: string;
}

export interface ImportHistoryOptions extends ImportOptions {
  readonly timeZone?: string;
  /** Milliseconds. */
  readonly margin?: number;
  readonly durationUnit: keyof typeof UNITS;
  readonly renames: boolean;
}

const UNITS = { ms: 1, s: 1_000, m: 60_000 } as const;

/** How much later than a table's last change its old load must have begun, unless somebody says so. */
const MARGINS = {
  // Two clocks that are set by the network are not that far apart.
  commit: parseDuration('10m'),
  // The time of a change is that of its transaction's beginning: none lasts that long.
  begin: parseDuration('24h'),
} as const;

export function importCommand(context: CommandContext, finish: (code: ExitCode) => void): Command {
  const command = new Command('import').description(
    'Take over from another system. Changes nothing without --write.',
  );
  const tables = new Command('tables')
    .description("Put another system's list of tables into a pipeline file.")
    .argument('<pipeline>', 'name of the pipeline')
    .argument('<file>', 'Airflow variables as exported (JSON), a CSV, or a name per line')
    .option('--variable <name>', 'which of the Airflow variables; needed where several hold a list')
    .option('--write', 'write the pipeline file')
    .action(async (pipeline: string, file: string, options: ImportTablesOptions) =>
      finish(await importTables(context, pipeline, file, options)),
    );
  const history = new Command('history')
    .description(
      'Adopt the last loads of another system, so that what has not changed since is not loaded again.',
    )
    .argument('<pipeline>', 'name of the pipeline')
    .argument('<history>', 'bigquery:PROJECT.DATASET.TABLE, or an export of it as JSON or CSV')
    .option('--time-zone <zone>', 'of times that say none, such as America/Sao_Paulo', zone)
    .option(
      '--margin <duration>',
      "how long before its last load a table's last change must lie (default: 10m; MariaDB 24h)",
      duration,
    )
    .addOption(
      new Option('--duration-unit <unit>', 'of tempo_execucao where it is a number')
        .choices(Object.keys(UNITS))
        .default('s'),
    )
    .option('--no-renames', 'vouch that no table was renamed into the place of another since')
    .option('--write', 'record what can be adopted')
    .action(async (pipeline: string, from: string, options: ImportHistoryOptions) =>
      finish(await importHistory(context, pipeline, from, options)),
    );
  command.addCommand(
    withHelpEnd(withCommonOptions(tables, context.environment), [
      'npm run import -- tables slmandic variables.json --variable tabelas',
      'npm run import -- tables slmandic tables.txt --write',
    ]),
  );
  command.addCommand(
    withHelpEnd(withCommonOptions(history, context.environment), [
      'npm run import -- history slmandic bigquery:our-project.dados.Historico_Execucao',
      'npm run import -- history slmandic export.csv --time-zone America/Sao_Paulo --write',
    ]),
  );
  return command;
}

function zone(text: string): string {
  if (!isTimeZone(text)) throw new InvalidArgumentError('It takes an IANA name.');
  return text;
}

function duration(text: string): number {
  if (!DURATION_PATTERN.test(text))
    throw new InvalidArgumentError('It takes a duration: 10m, 24h.');
  return parseDuration(text);
}

export async function importTables(
  context: CommandContext,
  name: string,
  file: string,
  { pipelines, json, write, variable }: ImportTablesOptions,
): Promise<ExitCode> {
  const project = await context.loadProject(pipelines);
  const pipeline = findPipeline(project, name);
  const wanted = tableList(await readText(file), variable);
  const ids = (await context.resources.source(project, pipeline).listTables()).map(({ id }) => id);
  const matched = wanted.map((old) => ({ old, table: matchTable(old, ids) }));
  const tables = [...new Set(matched.flatMap(({ table }) => table ?? []))].toSorted();
  const missing = matched.filter(({ table }) => table === undefined).map(({ old }) => old);
  // A name is a pattern, too.
  const include = tables.map((table) => table.replaceAll(/[*?\\]/g, '\\$&'));
  const isWritten = write === true && tables.length > 0;
  if (isWritten) await writeInclude(pipeline.file, include);
  if (json) {
    writeJson(context.stdout, { pipeline: name, tables, missing, written: isWritten });
    return EXIT.done;
  }
  const lines = missing.map((old) => `${printable(old)}: not in the source`);
  writeLines(context.stderr, lines);
  const head = isWritten
    ? `${pipeline.file}: tables.include is now`
    : stringify({ tables: { include } });
  const done = isWritten ? `${head} these ${formatCount(tables.length)} tables` : head.trimEnd();
  writeLines(context.stdout, [done]);
  return EXIT.done;
}

/** Comments and everything else of the file stay. */
async function writeInclude(file: string, include: readonly string[]): Promise<void> {
  const document = parseDocument(await readFile(file, 'utf8'));
  document.setIn(['tables', 'include'], document.createNode(include));
  await writeFile(file, document.toString());
}

/** What became of a table. */
interface Outcome {
  readonly table: string;
  readonly adopt: boolean;
  readonly reason: string;
  readonly event?: HistoryEvent;
  readonly takeOver?: () => Promise<void>;
}

export async function importHistory(
  context: CommandContext,
  name: string,
  from: string,
  options: ImportHistoryOptions,
): Promise<ExitCode> {
  const project = await context.loadProject(options.pipelines);
  const pipeline = findPipeline(project, name);
  const executions = lastExecutions(await oldRows(from, wayToBigquery(project, pipeline)), {
    durationUnitMs: UNITS[options.durationUnit],
    ...(options.timeZone === undefined ? {} : { timeZone: options.timeZone }),
  });
  const { outcomes, unknown } = await judge(context, project, pipeline, executions, options);
  const adopted = outcomes.flatMap(({ event }) => event ?? []);
  const isWritten = options.write === true;
  if (isWritten) {
    for (const { takeOver } of outcomes) await takeOver?.();
    await (await context.resources.history(project)).append(adopted);
  }
  const counts = { adopted: adopted.length, toLoad: outcomes.length - adopted.length };
  if (options.json) {
    const tables = outcomes.map(({ table, adopt, reason }) => ({ table, adopt, reason }));
    writeJson(context.stdout, { pipeline: name, ...counts, written: isWritten, tables, unknown });
    return EXIT.done;
  }
  writeLines(
    context.stderr,
    unknown.map((old) => `${printable(old)}: in the old history, and no table of the pipeline`),
  );
  const style = styleFor(context.stdout, context.environment);
  const columns = [{ title: '' }, { title: 'table' }, { title: 'why', flexible: true }];
  const rows = outcomes.map(({ table, adopt, reason }) => [
    adopt ? 'adopt' : 'load',
    table,
    reason,
  ]);
  const verb = isWritten ? 'adopted' : 'can be adopted (--write does it)';
  writeLines(context.stdout, [
    ...renderTable(columns, rows, { width: context.stdout.columns, style }),
    '',
    `${style.bold(name)}  ${formatCount(counts.adopted)} ${verb}, ${formatCount(counts.toLoad)} to load`,
  ]);
  return EXIT.done;
}

/** The old history is reached as the project's own datasets are. */
function wayToBigquery({ connections, history }: Project, { destination }: Pipeline) {
  const connection = connections.get(destination.connection);
  const known = [connection, history].find((place) => place?.type === 'bigquery');
  const { location, endpoint } = known?.type === 'bigquery' ? known : {};
  return {
    ...(location === undefined ? {} : { location }),
    ...(endpoint === undefined ? {} : { endpoint }),
  };
}

/**
 * Tokens are read first: what changes after that differs from its token, so that the next plan
 * notices, whatever is found here.
 */
async function judge(
  context: CommandContext,
  project: Project,
  pipeline: Pipeline,
  old: ReadonlyMap<string, OldExecution>,
  options: ImportHistoryOptions,
): Promise<{ readonly outcomes: readonly Outcome[]; readonly unknown: readonly string[] }> {
  const source = context.resources.source(project, pipeline);
  const history = await context.resources.history(project);
  const tables = selectTables(pipeline, await source.listTables());
  const states = await history.states(pipeline.name);
  const requests = tables.map((table) =>
    tokenRequest({ table, settings: settingsFor(pipeline, table.id), state: undefined }),
  );
  const tokens = await source.readTokens(requests);
  const changes = await source.changeTimes(tables);
  const ids = tables.map(({ id }) => id);
  const names = [...old.keys()].map((name) => ({ name, table: matchTable(name, ids) }));
  const held = heldTables(project, pipeline, source.dialect);
  const destination = context.resources.destination(project, pipeline);
  const batch = `import-${batchIdAt(context.now())}`;

  const judgeOne = async (table: SourceTable): Promise<Outcome> => {
    const settings = settingsFor(pipeline, table.id);
    const mine = names.filter((one) => one.table === table.id);
    const execution = old.get(mine[0]?.name ?? '');
    const token = tokens.get(table.id);
    const refused = (reason: string) => ({ table: table.id, adopt: false, reason });
    if (mine.length > 1) return refused(`the old history knows it by ${mine.length} names`);
    const doubt = objection({
      ...{ settings, execution, token, changes, table: table.id },
      state: states.get(table.id),
      marginMs: options.margin ?? MARGINS[changes.stamped],
      noRenames: !options.renames,
    });
    if (doubt !== undefined || execution === undefined || token === undefined) {
      return refused(doubt ?? 'the source gave no token');
    }
    if (held === undefined) return refused('its rows are not in the lake, which has its own files');
    const rows = await rowsOf(source, table);
    const destinationRows = await held.rows(table);
    const wrong = objectionOfCounts({
      ...{ source: rows, execution: execution.rows, destination: destinationRows },
    });
    if (wrong !== undefined) return refused(wrong);
    const reason = `unchanged since its load of ${execution.recorded}, and as many rows (${formatCount(rows)})`;
    const event: HistoryEvent = {
      id: eventId({ kind: 'SUCCEEDED', pipeline: pipeline.name, table: table.id, scope: batch }),
      kind: 'SUCCEEDED',
      recordedAt: context.now().toISOString(),
      ...{ pipeline: pipeline.name, table: table.id, batch, run: '', mode: 'full' },
      ...{ verdict: 'unchanged', reason: `adopted: ${reason}` },
      token: { ...token, settings: settingsFingerprint(pipeline, settings, destination) },
      ...{ rowsAtSource: rows, rowsRead: rows, rowsPublished: rows },
      ...(execution.durationMs === undefined ? {} : { durationMs: execution.durationMs }),
    };
    return {
      ...{ table: table.id, adopt: true, reason, event },
      takeOver: () => held.takeOver(table),
    };
  };
  const outcomes: Outcome[] = [];
  for (const table of tables) outcomes.push(await judgeOne(table));
  return {
    outcomes,
    unknown: names.filter(({ table }) => table === undefined).map(({ name }) => name),
  };
}

async function rowsOf(source: Source, table: SourceTable): Promise<number> {
  const snapshot = await source.openSnapshot(table, new AbortController().signal);
  try {
    return await snapshot.count({});
  } finally {
    await snapshot.close();
  }
}
