import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { findExecutable } from './command';
import { ToolUnavailableError } from './service';

export interface TerraformTools {
  /** Path of the program. */
  readonly terraform: string;
  /** Folder of unpacked providers, as a filesystem mirror has them: `<host>/<owner>/<name>/<version>`. */
  readonly plugins: string;
}

/**
 * Finds Terraform, and a provider on this machine: providers are large, and are not fetched here.
 * @param provider owner, name and version: `hashicorp/aws/5.100.0`.
 * @throws ToolUnavailableError where one of the two is missing.
 */
export function findTerraform(
  provider: string,
  environment: NodeJS.ProcessEnv = process.env,
): TerraformTools {
  const terraform = findExecutable('terraform');
  if (terraform === undefined) throw new ToolUnavailableError('terraform is not on the PATH');
  const plugins = pluginFolders(environment).find((folder) =>
    subfolders(folder).some((host) => existsSync(join(folder, host, provider))),
  );
  if (plugins !== undefined) return { terraform, plugins };
  throw new ToolUnavailableError(
    `the provider ${provider} is in no plugin folder of this machine; COMPORTA_TERRAFORM_PLUGINS may name one`,
  );
}

/**
 * The folder that the environment names, those that Terraform itself looks into (Terraform, "CLI
 * Configuration", "Implied Local Mirror Directories"), and those in which machines keep software.
 */
function pluginFolders(environment: NodeJS.ProcessEnv): readonly string[] {
  const named = environment['COMPORTA_TERRAFORM_PLUGINS'];
  if (named !== undefined && named !== '') return [named];
  return [
    join(homedir(), '.terraform.d/plugins'),
    join(homedir(), '.local/share/terraform/plugins'),
    '/usr/local/share/terraform/plugins',
    '/usr/share/terraform/plugins',
    ...['/opt', '/usr/local/share', '/usr/share'].flatMap((root) =>
      subfolders(root).map((name) => join(root, name)),
    ),
  ];
}

function subfolders(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}
