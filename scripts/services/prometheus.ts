import { join } from 'node:path';
import { installOnce } from './cache';
import { findExecutable } from './command';
import { hasDebianTools, unpackDebianPackages } from './debian';
import { ToolUnavailableError } from './service';

export interface PrometheusTool {
  readonly prometheus: string;
  readonly promtool: string;
}

/**
 * Finds or fetches Prometheus and promtool: on PATH, else Debian's package in the cache.
 * @throws ToolUnavailableError where neither can be had.
 */
export async function ensurePrometheus(
  progress: (line: string) => void = () => undefined,
): Promise<PrometheusTool> {
  const prometheus = findExecutable('prometheus');
  const promtool = findExecutable('promtool');
  if (prometheus && promtool) return { prometheus, promtool };
  if (!hasDebianTools())
    throw new ToolUnavailableError(
      'Prometheus is missing. Install it so that prometheus and promtool are on PATH ' +
        '(macOS: brew install prometheus).',
    );
  const directory = await installOnce('prometheus', 'debian', async (target) => {
    progress('fetching Prometheus from Debian (60 MB)');
    await unpackDebianPackages({ packages: ['prometheus'], suite: 'installed' }, target);
  });
  return {
    prometheus: join(directory, 'usr/bin/prometheus'),
    promtool: join(directory, 'usr/bin/promtool'),
  };
}
