import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '../errors';
import { buildPipeline } from './build';
import { collisions } from './collisions';
import type { Reading } from './connections/place';
import { resolveConnections, resolveHistory } from './connections/resolve';
import { connectionsFile, type ConnectionsFile } from './connections-schema';
import { readYaml, type YamlFile } from './document';
import { conform, type Partly } from './issues';
import { ProjectInvalid, type Mistake } from './mistakes';
import {
  LAKE_TYPES,
  type Connection,
  type HistorySettings,
  type Pipeline,
  type Project,
} from './pipeline';
import { pipelineFile, type PipelineFile } from './pipeline-schema';
import { projectFile } from './project-schema';
import {
  connectionMistake,
  pipelineMistakes,
  type ConnectionDrafts,
  type PipelineDraft,
} from './rules';

export interface LoadOptions {
  /** Where `env:NAME` outside of secrets is looked up. Default: the process's own environment. */
  readonly environment?: NodeJS.ProcessEnv;
}

const CONNECTIONS = /^connections\.ya?ml$/;

function wholeFile(file: string, problem: string, fix: string): Mistake {
  return { file, line: 0, column: 0, path: '', problem, fix };
}

async function yamlFileNames(directory: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(directory);
    return entries.filter((name) => /^[^.].*\.ya?ml$/.test(name)).sort();
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code;
    const problem =
      reason === 'ENOENT'
        ? 'there is no such folder'
        : reason === 'ENOTDIR'
          ? 'this is not a folder'
          : `cannot be read (${messageOf(error)})`;
    throw new ProjectInvalid([
      wholeFile(
        directory,
        problem,
        'name the folder that holds the pipeline files (--pipelines DIR)',
      ),
    ]);
  }
}

/** The files that hold something; for the others there is a mistake. */
async function readFiles(
  directory: string,
  names: readonly string[],
  mistakes: Mistake[],
): Promise<readonly YamlFile[]> {
  const files = await Promise.all(
    names.map(async (name) => {
      const file = path.join(directory, name);
      try {
        return { file, text: await readFile(file, 'utf8') };
      } catch (error) {
        mistakes.push(
          wholeFile(
            file,
            `cannot be read (${messageOf(error)})`,
            'make it readable, or move it away',
          ),
        );
        return undefined;
      }
    }),
  );
  return files.flatMap((found) => {
    if (found === undefined) return [];
    const yaml = readYaml(found.file, found.text, mistakes);
    if (yaml.value === null) {
      mistakes.push(
        wholeFile(found.file, 'the file is empty', 'write a pipeline into it, or remove it'),
      );
      return [];
    }
    return yaml.value === undefined ? [] : [yaml];
  });
}

interface ConnectionsDraft {
  readonly connections: ConnectionDrafts;
  readonly history: Partial<HistorySettings>;
}

function readConnections(reading: Reading, input: Partly<ConnectionsFile>): ConnectionsDraft {
  const { file, mistakes } = reading;
  const connections = resolveConnections(reading, input);
  for (const [name, connection] of connections) {
    if (connection?.type !== 'bigquery') continue;
    const at = ['connections', name, 'lake'];
    mistakes.push(...connectionMistake(file, at, connection.lake, ['gcs'], connections));
  }
  const history = resolveHistory(reading, input);
  if (history.type === 'postgres') {
    mistakes.push(
      ...connectionMistake(
        file,
        ['history', 'connection'],
        history.connection,
        ['postgres'],
        connections,
      ),
    );
  }
  if (history.type === 'bigquery') {
    const at = ['history', 'leases'];
    mistakes.push(...connectionMistake(file, at, history.leases, LAKE_TYPES, connections));
  }
  return { connections, history };
}

/** Builds what was found to be without a mistake, and therefore whole. */
function assemble(
  { directory, apart }: Pick<Project, 'directory' | 'apart'>,
  drafts: readonly PipelineDraft[],
  whole: ConnectionsDraft,
): Project {
  const connections = whole.connections as ReadonlyMap<string, Connection>;
  const pipelines = drafts.map(({ file, input }): [string, Pipeline] => {
    const complete = input as PipelineFile;
    const sourceType =
      connections.get(complete.source.connection)?.type === 'mysql' ? 'mysql' : 'postgres';
    const overrideOrder = file.keys(['overrides']);
    return [
      complete.pipeline,
      buildPipeline(complete, { file: file.file, directory, sourceType, overrideOrder }),
    ];
  });
  return {
    directory,
    pipelines: new Map(pipelines),
    connections,
    history: whole.history as HistorySettings,
    apart,
  };
}

/** The pipeline of a file that is a project of its own; undefined for any other file. */
function projectName({ value }: YamlFile): string | undefined {
  if (typeof value !== 'object' || value === null || !('connections' in value)) return undefined;
  return 'pipeline' in value && typeof value.pipeline === 'string' ? value.pipeline : undefined;
}

/**
 * Reads and validates a pipelines folder: `connections.yaml`, and every other `*.yaml` or `*.yml`
 * in it (not in folders below, nor hidden) as one pipeline. Secrets are not read.
 * Throws ProjectInvalid (ConfigurationInvalid) with every mistake of every file, and with what can
 * run in spite of them.
 */
export async function loadProject(place: string, options: LoadOptions = {}): Promise<Project> {
  const environment = options.environment ?? process.env;
  const found = await stat(place).catch(() => undefined);
  return found?.isFile() === true && /\.ya?ml$/.test(place)
    ? loadFile(place, environment)
    : loadFolder(place, environment);
}

async function loadFile(place: string, environment: NodeJS.ProcessEnv): Promise<Project> {
  const mistakes: Mistake[] = [];
  const directory = path.resolve(path.dirname(place));
  const [file] = await readFiles(path.dirname(place), [path.basename(place)], mistakes);
  if (file === undefined) throw new ProjectInvalid(mistakes);
  const input = conform(file, projectFile, mistakes);
  const whole = readConnections({ directory, environment, file, mistakes }, input);
  mistakes.push(...pipelineMistakes({ file, input }, whole.connections));
  if (mistakes.length > 0) throw new ProjectInvalid(mistakes);
  return assemble({ directory, apart: new Map() }, [{ file, input }], whole);
}

async function loadFolder(directory: string, environment: NodeJS.ProcessEnv): Promise<Project> {
  const mistakes: Mistake[] = [];
  const names = await yamlFileNames(directory);
  const files = await readFiles(directory, names, mistakes);
  const surroundings = { directory: path.resolve(directory), environment };
  const connectionNames = names.filter((name) => CONNECTIONS.test(name));
  const isConnections = ({ file }: YamlFile): boolean => CONNECTIONS.test(path.basename(file));

  if (connectionNames.length === 0) {
    mistakes.push(
      wholeFile(
        path.join(directory, 'connections.yaml'),
        'the file is missing',
        'add it, with the databases and lakes under `connections:`',
      ),
    );
  } else if (connectionNames.length > 1) {
    mistakes.push(
      wholeFile(
        path.join(directory, connectionNames[1] ?? ''),
        `there is ${connectionNames[0] ?? ''} as well`,
        'join the two into one file',
      ),
    );
  }
  if (names.length === connectionNames.length) {
    mistakes.push(
      wholeFile(
        directory,
        'there is no pipeline file in this folder',
        'add one such as sales.yaml, with `pipeline:`, `source:` and `destination:`',
      ),
    );
  }

  const connectionsYaml = files.find(isConnections);
  const whole =
    connectionsYaml &&
    readConnections(
      { ...surroundings, file: connectionsYaml, mistakes },
      conform(connectionsYaml, connectionsFile, mistakes),
    );
  const apart = new Map(
    files.flatMap((file) => {
      const name = projectName(file);
      return name === undefined || isConnections(file) ? [] : [[name, file.file] as const];
    }),
  );
  const drafts = files
    .filter((file) => !isConnections(file) && projectName(file) === undefined)
    .map((file) => ({ file, input: conform(file, pipelineFile, mistakes) }));
  mistakes.push(...drafts.flatMap((draft) => pipelineMistakes(draft, whole?.connections)));
  const shared = await collisions(drafts, whole?.connections ?? new Map());
  mistakes.push(...shared);

  if (whole === undefined) throw new ProjectInvalid(mistakes);
  const assembled = (sound: readonly PipelineDraft[]) =>
    assemble({ directory: surroundings.directory, apart }, sound, whole);
  if (mistakes.length === 0) return assembled(drafts);
  // Of two pipelines that meet, either may be the one that is in the wrong place.
  const sound = shared.length > 0 ? [] : withoutMistakes(directory, names, drafts, mistakes);
  throw new ProjectInvalid(mistakes, sound.length === 0 ? undefined : assembled(sound));
}

/** The pipelines that can run in spite of the mistakes; none where these concern all of them. */
function withoutMistakes(
  directory: string,
  names: readonly string[],
  drafts: readonly PipelineDraft[],
  mistakes: readonly Mistake[],
): readonly PipelineDraft[] {
  const pipelineFiles = new Set(
    names.filter((name) => !CONNECTIONS.test(name)).map((name) => path.join(directory, name)),
  );
  const broken = new Set(mistakes.map(({ file }) => file));
  if ([...broken].some((file) => !pipelineFiles.has(file))) return [];
  return drafts.filter(({ file }) => !broken.has(file.file));
}
