/**
 * The few errors that Comporta itself speaks of. Every driver maps its own errors to these in one
 * place (`sources/<name>/errors.ts`, …), so that the rest of the code and the operator see one
 * vocabulary, and Temporal knows what is worth another attempt.
 */

/** What went wrong, as a stable word: it is the `type` of the failure in Temporal and in the history. */
export type ErrorCode =
  | 'ConfigurationInvalid'
  | 'ConnectionFailed'
  | 'AuthenticationFailed'
  | 'PermissionDenied'
  | 'TableNotFound'
  | 'TypeUnsupported'
  | 'ValueUnfaithful'
  | 'RowCountMismatch'
  | 'EmptyingRefused'
  | 'SchemaChanged'
  | 'SourceInterrupted'
  | 'SourceRejected'
  | 'DestinationFailed'
  | 'EngineFailed'
  | 'HistoryFailed'
  | 'LeaseLost'
  | 'NotificationFailed'
  | 'TablesFailed';

/**
 * Whether another attempt, with nothing changed by a person, can succeed. A rejected password
 * stays rejected; a cut connection does not.
 */
export const RETRYABLE: Readonly<Record<ErrorCode, boolean>> = {
  ConfigurationInvalid: false,
  ConnectionFailed: true,
  AuthenticationFailed: false,
  PermissionDenied: false,
  TableNotFound: false,
  TypeUnsupported: false,
  ValueUnfaithful: false,
  RowCountMismatch: true,
  EmptyingRefused: false,
  SchemaChanged: false,
  SourceInterrupted: true,
  SourceRejected: false,
  DestinationFailed: true,
  EngineFailed: true,
  HistoryFailed: true,
  LeaseLost: true,
  NotificationFailed: true,
  TablesFailed: false,
};

/** Of a word that came from outside. */
export function isErrorCode(word: string): word is ErrorCode {
  return Object.hasOwn(RETRYABLE, word);
}

export interface ErrorDetails {
  /** What to do about it, one sentence, imperative: "GRANT SELECT ON …". */
  readonly remedy?: string;
  readonly pipeline?: string;
  readonly table?: string;
  readonly cause?: unknown;
}

/** An error whose message may be shown to anyone: it holds no secret and says what to do. */
export class ComportaError extends Error {
  override readonly name = 'ComportaError';
  readonly code: ErrorCode;
  /** The message without the place in front and the remedy behind. */
  readonly problem: string;
  readonly pipeline: string | undefined;
  readonly table: string | undefined;
  readonly remedy: string | undefined;

  constructor(code: ErrorCode, problem: string, details: ErrorDetails = {}) {
    const place = [details.pipeline, details.table]
      .filter((part) => part !== undefined)
      .join(' / ');
    const where = place === '' ? '' : `${place}: `;
    const remedy = details.remedy === undefined ? '' : ` — ${details.remedy}`;
    super(`${where}${problem}${remedy}`, { cause: details.cause });
    this.code = code;
    this.problem = problem;
    this.pipeline = details.pipeline;
    this.table = details.table;
    this.remedy = details.remedy;
  }

  get retryable(): boolean {
    return RETRYABLE[this.code];
  }
}

/** The message of anything thrown, for a log line or the end of a longer message. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
