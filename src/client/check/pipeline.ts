import { assertTable } from '../../destinations/bigquery/table';
import { destinationEndpoint, sourceEndpoint } from '../../endpoints';
import { jobSource } from '../../engines/spark/job-request';
import { lakeAddress } from '../../engines/spark/lake-address';
import { ComportaError } from '../../errors';
import type { Pipeline, Project } from '../../pipeline/pipeline';
import { enginesOf, platformsOf } from '../../pipeline/engines-of';
import { selectTables, settingsFor, unmatchedOverrides } from '../../pipeline/settings';
import type { Finding, Source, SourceTable } from '../../sources/source';
import type { CommandContext } from '../context';
import { errorFinding, group, type CheckGroup } from './group';

/** Tables of one pipeline whose columns are looked at without --deep. */
export const MOST_TABLES = 500;

/** Snapshots open at the same time. */
const WIDTH = 4;

/** The source, the destination, the platforms and the channels of one pipeline. */
export async function checkPipeline(
  context: CommandContext,
  project: Project,
  pipeline: Pipeline,
  deep: boolean,
): Promise<CheckGroup[]> {
  const { name, source, destination } = pipeline;
  return [
    await group(`${name}: source ${source.connection}`, () =>
      checkSource(context.resources.source(project, pipeline), {
        pipeline,
        intoBigquery: project.connections.get(destination.connection)?.type === 'bigquery',
        deep,
      }),
    ),
    await group(`${name}: destination ${destination.connection}`, async () => {
      const opened = context.resources.destination(project, pipeline);
      return { checked: opened.description, findings: await opened.check() };
    }),
    ...(await checkPlatforms(context, project, pipeline)),
    ...checkJobs(project, pipeline),
    ...(await checkChannels(context, project, pipeline)),
  ];
}

async function checkPlatforms(
  context: CommandContext,
  project: Project,
  pipeline: Pipeline,
): Promise<CheckGroup[]> {
  return Promise.all(
    [...platformsOf(pipeline)].map((platform) =>
      group(`${pipeline.name}: platform ${platform}`, () =>
        context.resources.checkPlatform(project, pipeline, platform),
      ),
    ),
  );
}

/** Jobs of Spark open the source and the lake themselves, and by fewer settings than the worker. */
function checkJobs(project: Project, pipeline: Pipeline): CheckGroup[] {
  const engines = [...enginesOf([pipeline])].filter((engine) => engine !== 'embedded');
  if (engines.length === 0) return [];
  const subject = `${pipeline.name}: jobs of ${engines.join(', ')}`;
  const findings = [
    () => jobSource(sourceEndpoint(project, pipeline).connection),
    () => lakeAddress(destinationEndpoint(project, pipeline), ''),
  ].flatMap((open) => {
    try {
      open();
      return [];
    } catch (error) {
      return [errorFinding(subject, error)];
    }
  });
  return [{ subject, checked: 'settings of source and lake', findings }];
}

async function checkChannels(
  context: CommandContext,
  project: Project,
  pipeline: Pipeline,
): Promise<CheckGroup[]> {
  const channels = context.resources.notifiers(project, pipeline);
  return Promise.all(
    [...channels].map(([channel, notifier]) =>
      group(`${pipeline.name}: notify ${channel}`, async () => {
        await notifier.check();
        return { checked: 'nobody was told', findings: [] };
      }),
    ),
  );
}

interface SourceCheck {
  readonly pipeline: Pipeline;
  /** Its columns must then be such that BigQuery takes them. */
  readonly intoBigquery: boolean;
  readonly deep: boolean;
}

async function checkSource(
  source: Source,
  { pipeline, intoBigquery, deep }: SourceCheck,
): Promise<{ checked: string; findings: readonly Finding[] }> {
  const all = await source.listTables();
  const tables = selectTables(pipeline, all);
  const found = [...patternFindings(pipeline, all, tables), ...(await source.check(tables))];

  const shallow = tables.length > MOST_TABLES && !deep;
  const columns = shallow
    ? []
    : await columnFindings(source, { pipeline, intoBigquery }, tables, found);
  const scope = shallow ? ', columns not looked at (--deep does)' : '';
  return {
    checked: `${tables.length} of ${all.length} tables${scope}`,
    findings: [...found, ...columns],
  };
}

function patternFindings(
  pipeline: Pipeline,
  all: readonly SourceTable[],
  selected: readonly SourceTable[],
): Finding[] {
  const unmatched = unmatchedOverrides(pipeline, all).map(({ place, pattern }): Finding => ({
    severity: 'warning',
    subject: `${pipeline.file}: ${place}`,
    problem: `the pattern "${pattern}" matches no table`,
    remedy: 'correct it, or take it out',
  }));
  if (selected.length > 0) return unmatched;
  return [
    ...unmatched,
    {
      severity: 'warning',
      subject: `${pipeline.file}: tables`,
      problem: `none of the ${all.length} tables of the source is selected`,
      remedy: 'check tables.include and tables.exclude, and what this user may see',
    },
  ];
}

type ColumnCheck = Pick<SourceCheck, 'pipeline' | 'intoBigquery'>;

/** Opens each table as a load does, maps its columns and tries its filter. */
async function columnFindings(
  source: Source,
  check: ColumnCheck,
  tables: readonly SourceTable[],
  known: readonly Finding[],
): Promise<Finding[]> {
  // A table that is known to be closed to this user would only say so once more.
  const closed = new Set(
    known.filter(({ severity }) => severity === 'error').map(({ subject }) => subject),
  );
  const findings: Finding[] = [];
  const queue = tables.filter(({ id }) => !closed.has(id)).values();
  const lane = async () => {
    for (const table of queue) {
      const error = await columnError(source, check, table);
      if (error !== undefined) findings.push(errorFinding(table.id, error));
    }
  };
  await Promise.all(Array.from({ length: WIDTH }, lane));
  return findings.sort((a, b) => (a.subject < b.subject ? -1 : 1));
}

async function columnError(
  source: Source,
  { pipeline, intoBigquery }: ColumnCheck,
  table: SourceTable,
): Promise<ComportaError | undefined> {
  try {
    const snapshot = await source.openSnapshot(table, new AbortController().signal);
    try {
      const settings = settingsFor(pipeline, table.id);
      const { columns } = snapshot.plan(settings);
      const identity = { pipeline: pipeline.name, table: table.id };
      if (intoBigquery) assertTable(identity, columns, settings.bigquery);
      await snapshot.tryFilter(settings);
    } finally {
      await snapshot.close();
    }
    return undefined;
  } catch (error) {
    if (error instanceof ComportaError) return error;
    throw error;
  }
}
