import { InvalidArgumentError, Option, type Command } from 'commander';
import { ComportaError } from '../errors';
import { nearest } from '../pipeline/mistakes';
import type { Pipeline, Project } from '../pipeline/pipeline';
import { EXIT_CODES_HELP } from './exit-codes';

/** Options that every command takes. */
export interface CommonOptions {
  readonly pipelines: string;
  readonly json?: true;
}

/** Options of the commands that talk to Temporal. */
export interface TemporalCommandOptions extends CommonOptions {
  readonly profile?: string;
}

export function withCommonOptions(command: Command, environment: NodeJS.ProcessEnv): Command {
  return command
    .addOption(
      new Option(
        '--pipelines <dir>',
        'folder of the pipeline files, or the file of a project',
      ).default(
        environment['COMPORTA_PIPELINES'] || 'pipelines',
        'COMPORTA_PIPELINES, or pipelines',
      ),
    )
    .option('--json', 'print one JSON document on standard output, and nothing else there');
}

export function withTemporalOptions(command: Command, environment: NodeJS.ProcessEnv): Command {
  return withCommonOptions(command, environment).option(
    '--profile <name>',
    "profile of Temporal's configuration file (default: TEMPORAL_PROFILE)",
  );
}

/** Ends a command's help with examples, the connection where it has one, and the exit codes. */
export function withHelpEnd(command: Command, examples: readonly string[]): Command {
  const connection = command.options.some(({ long }) => long === '--profile')
    ? `
Temporal is reached by its own environment configuration: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE,
TEMPORAL_API_KEY, TEMPORAL_TLS_*, or a profile of temporal.toml.
`
    : '';
  const lines = examples.map((example) => `  ${example}`).join('\n');
  return command.addHelpText('after', `\nExamples:\n${lines}\n${connection}${EXIT_CODES_HELP}`);
}

/** Parses the value of an option that takes a whole number from 1. */
export function atLeastOne(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError('It takes a whole number from 1.');
  }
  return value;
}

/** Throws ConfigurationInvalid, with the name that was probably meant. */
export function findPipeline(project: Project, name: string): Pipeline {
  const pipeline = project.pipelines.get(name);
  if (pipeline !== undefined) return pipeline;
  const own = project.apart.get(name);
  if (own !== undefined) {
    throw new ComportaError(
      'ConfigurationInvalid',
      `pipeline "${name}" is a project of its own, with its own connections`,
      { remedy: `add --pipelines ${own}` },
    );
  }
  const names = [...project.pipelines.keys()];
  const suggestion = nearest(name, names);
  throw new ComportaError(
    'ConfigurationInvalid',
    `there is no pipeline "${name}" in ${project.directory}`,
    { remedy: suggestion === undefined ? listed(names) : `did you mean "${suggestion}"?` },
  );
}

/** All pipelines of a project, or the one that is named. */
export function pipelinesOf(project: Project, name: string | undefined): readonly Pipeline[] {
  return name === undefined ? [...project.pipelines.values()] : [findPipeline(project, name)];
}

const NAMES_SHOWN = 20;

function listed(names: readonly string[]): string {
  if (names.length === 0) return 'write a pipeline file first';
  const more = names.length > NAMES_SHOWN ? `, and ${names.length - NAMES_SHOWN} more` : '';
  return `there are: ${names.slice(0, NAMES_SHOWN).join(', ')}${more}`;
}
