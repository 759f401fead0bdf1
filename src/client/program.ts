import { Command, CommanderError } from 'commander';
import { checkCommand } from './commands/check';
import { historyCommand } from './commands/history';
import { importCommand } from './commands/import';
import { planCommand } from './commands/plan';
import { reportCommand } from './commands/report';
import { resetCommand } from './commands/reset';
import { scheduleCommand } from './commands/schedule';
import { triggerCommand } from './commands/trigger';
import type { CommandContext } from './context';
import { EXIT, EXIT_CODES_HELP, exitCodeOf, type ExitCode } from './exit-codes';
import { writeError } from './write';

const COMMANDS = [
  triggerCommand,
  planCommand,
  historyCommand,
  reportCommand,
  scheduleCommand,
  checkCommand,
  resetCommand,
  importCommand,
];

/**
 * Runs one command line, without the program's name: `['trigger', 'sales', '--wait']`. Never
 * throws: what goes wrong is written to standard error and told by the exit code.
 */
export async function runProgram(
  context: CommandContext,
  commandLine: readonly string[],
): Promise<ExitCode> {
  let code: ExitCode = EXIT.done;
  const program = new Command('comporta')
    .description('Keeps a data lake in step with operational databases.')
    .addHelpText('after', EXIT_CODES_HELP);
  for (const create of COMMANDS) {
    program.addCommand(create(context, (answered) => (code = answered)));
  }
  configure(program, context);
  try {
    await program.parseAsync(commandLine, { from: 'user' });
    return code;
  } catch (error) {
    // Commander has written its message (or the help that was asked for) already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    writeError(context, error, commandLine.includes('--json'));
    return exitCodeOf(error);
  } finally {
    await context.resources.close();
  }
}

/** Commander inherits neither of these by commands that are added as objects. */
function configure(command: Command, context: CommandContext): void {
  command
    .exitOverride()
    .showHelpAfterError('(more with --help)')
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
      getOutHelpWidth: () => context.stdout.columns ?? 100,
      getErrHelpWidth: () => context.stderr.columns ?? 100,
    });
  for (const subcommand of command.commands) configure(subcommand, context);
}
