import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { Command, InvalidArgumentError, Option } from 'commander';
import { parseDocument, stringify } from 'yaml';
import { ComportaError } from '../../errors';
import type * as HeldTablesModule from '../../import/held-tables';
import { judge } from '../../import/judge';
import { matchTable } from '../../import/match';
import { lastExecutions } from '../../import/old-history';
import { oldRows, readText } from '../../import/old-rows';
import { tableList } from '../../import/table-list';
import { DURATION_PATTERN, parseDuration } from '../../pipeline/duration';
import type { Pipeline, Project } from '../../pipeline/pipeline';
import { isTimeZone } from '../../pipeline/time-zone';
import type { Source } from '../../sources/source';
import type { CommandContext } from '../context';
import { EXIT, type ExitCode } from '../exit-codes';
import { findPipeline, withCommonOptions, withHelpEnd, type CommonOptions } from '../options';
import { styleFor } from '../render/style';
import { renderTable } from '../render/table';
import { printable } from '../render/text';
import { formatCount } from '../render/units';
import { batchIdAt } from '../trigger/start';
import { writeJson, writeLines } from '../write';

const load = createRequire(__filename);

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
  if (tables.length === 0) {
    const names = wanted.slice(0, 3).join(', ');
    const problem = `none of the ${wanted.length} names is a table of the source (${names}${wanted.length > 3 ? ', …' : ''})`;
    throw new ComportaError('ConfigurationInvalid', printable(problem), {
      remedy: 'check the list, and what the user may see: `npm run plan` shows the tables',
    });
  }
  const missing = matched.filter(({ table }) => table === undefined).map(({ old }) => old);
  // A name is a pattern, too.
  const include = tables.map((table) => table.replaceAll(/[*?\\]/g, '\\$&'));
  const isWritten = write === true;
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

export async function importHistory(
  context: CommandContext,
  name: string,
  from: string,
  options: ImportHistoryOptions,
): Promise<ExitCode> {
  const project = await context.loadProject(options.pipelines);
  const pipeline = findPipeline(project, name);
  const executions = lastExecutions(await oldRows(from, bigqueryEndpoint(project, pipeline)), {
    durationUnitMs: UNITS[options.durationUnit],
    ...(options.timeZone === undefined ? {} : { timeZone: options.timeZone }),
  });
  const history = await context.resources.history(project);
  const source = context.resources.source(project, pipeline);
  const { judgements, unknown } = await judge(
    {
      ...{ pipeline, source, history, held: heldBy(project, pipeline, source) },
      destination: context.resources.destination(project, pipeline),
    },
    executions,
    {
      ...{ marginMs: options.margin, noRenames: !options.renames },
      batch: `import-${batchIdAt(context.now())}`,
      recordedAt: context.now().toISOString(),
    },
  );
  const adoptions = judgements.flatMap(({ adoption }) => adoption ?? []);
  const isWritten = options.write === true;
  if (isWritten) {
    for (const { takeOver } of adoptions) await takeOver();
    await history.append(adoptions.map(({ event }) => event));
  }
  const counts = { adopted: adoptions.length, toLoad: judgements.length - adoptions.length };
  if (options.json) {
    const tables = judgements.map(({ table, adoption, reason }) => ({
      ...{ table, adopt: adoption !== undefined, reason },
    }));
    writeJson(context.stdout, { pipeline: name, ...counts, written: isWritten, tables, unknown });
    return EXIT.done;
  }
  writeLines(
    context.stderr,
    unknown.map((old) => `${printable(old)}: in the old history, and no table of the pipeline`),
  );
  const style = styleFor(context.stdout, context.environment);
  const columns = [{ title: '' }, { title: 'table' }, { title: 'why', flexible: true }];
  const rows = judgements.map(({ table, adoption, reason }) => [
    adoption === undefined ? 'load' : 'adopt',
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
function bigqueryEndpoint({ connections, history }: Project, { destination }: Pipeline) {
  const connection = connections.get(destination.connection);
  const known = [connection, history].find((place) => place?.type === 'bigquery');
  return known?.type === 'bigquery' ? known.endpoint : undefined;
}

/** Undefined for a lake. The client of BigQuery is loaded by those who use it. */
function heldBy({ connections }: Project, pipeline: Pipeline, { dialect }: Source) {
  const connection = connections.get(pipeline.destination.connection);
  if (connection?.type !== 'bigquery') return undefined;
  const { heldTables } = load('../../import/held-tables') as typeof HeldTablesModule;
  return heldTables(connection, pipeline, dialect);
}
