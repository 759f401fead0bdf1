import { ComportaError, messageOf } from '../errors';
import { ProjectInvalid } from '../pipeline/mistakes';
import type { CommandContext, Output } from './context';

export function writeLines(output: Output, lines: readonly string[]): void {
  if (lines.length > 0) output.write(`${lines.join('\n')}\n`);
}

export function writeJson(output: Output, document: unknown): void {
  output.write(`${JSON.stringify(document, undefined, 2)}\n`);
}

/** What an error looks like to a person, and with --json to a program. */
export function writeError(context: CommandContext, error: unknown, json: boolean): void {
  const known = error instanceof ComportaError;
  // An error that nobody foresaw is a defect: where it arose is what its report needs.
  const text = known ? error.message : `unexpected: ${(error as Error).stack ?? messageOf(error)}`;
  writeLines(context.stderr, [text]);
  if (!json) return;
  writeJson(context.stdout, {
    error: {
      code: known ? error.code : 'Unexpected',
      message: messageOf(error),
      ...(error instanceof ProjectInvalid ? { mistakes: error.mistakes } : {}),
    },
  });
}
