import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** The commit that is measured, with a plus where the sources have changes. */
export function commitOfTree(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, {
      cwd: join(__dirname, '../..'),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    const changed = git('status', '--porcelain', '--', 'src', 'kernels') !== '';
    return `${git('rev-parse', '--short', 'HEAD')}${changed ? '+' : ''}`;
  } catch {
    return 'of an unknown commit';
  }
}
