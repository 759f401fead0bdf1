import { ComportaError, type ErrorCode } from '../errors';

/** What the commands answer to the shell, the same for all of them. */
export const EXIT = {
  done: 0,
  /** A table failed, or `check` found an error. */
  failed: 1,
  /** Wrong usage, or the configuration is invalid. */
  usage: 2,
  /** Temporal, a source, a destination or the history could not be reached. */
  unreachable: 3,
  /** Ctrl-C (128 + SIGINT). */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const BY_CODE: Readonly<Record<ErrorCode, ExitCode>> = {
  ConfigurationInvalid: EXIT.usage,
  TableNotFound: EXIT.usage,
  ConnectionFailed: EXIT.unreachable,
  AuthenticationFailed: EXIT.unreachable,
  SourceInterrupted: EXIT.unreachable,
  DestinationFailed: EXIT.unreachable,
  HistoryFailed: EXIT.unreachable,
  NotificationFailed: EXIT.unreachable,
  PermissionDenied: EXIT.failed,
  TypeUnsupported: EXIT.failed,
  ValueUnfaithful: EXIT.failed,
  RowCountMismatch: EXIT.failed,
  EmptyingRefused: EXIT.failed,
  SchemaChanged: EXIT.failed,
  EngineFailed: EXIT.failed,
  SourceRejected: EXIT.failed,
  LeaseLost: EXIT.failed,
  TablesFailed: EXIT.failed,
};

/** The exit code of a command that ended with an error; anything unforeseen counts as failed. */
export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof ComportaError ? BY_CODE[error.code] : EXIT.failed;
}

/** For the end of every `--help`. */
export const EXIT_CODES_HELP = `
Exit codes: 0 done, 1 a table failed or an error was found, 2 wrong usage or configuration,
3 something could not be reached (Temporal, source, destination, history), 130 interrupted.`;
