import { createHash } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { installOnce } from './cache';
import { execute, findExecutable, type Execute } from './command';
import { ToolUnavailableError } from './service';

/**
 * Finds or fetches Java archives with all that they depend on, by the Maven of this machine and
 * from wherever it is set up to fetch.
 * @param coordinates `group:artifact:version`, or `group:artifact:version:classifier` for an archive
 *   that has what it depends on within.
 * @returns paths of the archives.
 * @throws ToolUnavailableError where there is no Maven, or it cannot have an archive.
 */
export async function ensureJars(
  coordinates: readonly string[],
  progress: (line: string) => void = () => undefined,
  run: Execute = execute,
): Promise<readonly string[]> {
  const version = createHash('sha256').update(JSON.stringify(coordinates)).digest('hex');
  const directory = await installOnce('jars', version.slice(0, 12), async (target) => {
    const maven = findExecutable('mvn');
    if (maven === undefined)
      throw new ToolUnavailableError('Maven is missing. Install it so that mvn is on PATH.');
    progress(`fetching ${coordinates.join(', ')}`);
    const project = join(target, 'pom.xml');
    await writeFile(project, projectFile(coordinates));
    try {
      await run(maven, [
        '--batch-mode',
        '--quiet',
        `--file=${project}`,
        `-DoutputDirectory=${target}`,
        'dependency:copy-dependencies',
      ]);
    } catch (error) {
      throw new ToolUnavailableError(
        `Maven could not fetch ${coordinates.join(', ')}: ${(error as Error).message}`,
        { cause: error },
      );
    }
  });
  const files = await readdir(directory);
  return files.filter((file) => file.endsWith('.jar')).map((file) => join(directory, file));
}

/** The least project that depends on these archives. */
export function projectFile(coordinates: readonly string[]): string {
  const dependencies = coordinates.map((coordinate) => {
    const [group, artifact, version, classifier] = coordinate.split(':');
    const alone = '<exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion>';
    return [
      '<dependency>',
      `<groupId>${group}</groupId>`,
      `<artifactId>${artifact}</artifactId>`,
      `<version>${version}</version>`,
      ...(classifier === undefined
        ? []
        : [`<classifier>${classifier}</classifier>`, `<exclusions>${alone}</exclusions>`]),
      '</dependency>',
    ].join('');
  });
  return [
    '<project>',
    '<modelVersion>4.0.0</modelVersion>',
    '<groupId>comporta</groupId><artifactId>jars</artifactId><version>1</version>',
    `<dependencies>${dependencies.join('')}</dependencies>`,
    '</project>',
  ].join('\n');
}
