import { ComportaError, type ErrorCode } from '../../errors';

/**
 * An error as plain data. Its cause stays where it was thrown: a driver's own error may quote what
 * was sent, and has parts that cannot be copied.
 */
export type ErrorData =
  | {
      readonly kind: 'comporta';
      readonly code: ErrorCode;
      readonly problem: string;
      readonly pipeline: string | undefined;
      readonly table: string | undefined;
      readonly remedy: string | undefined;
      readonly stack: string | undefined;
    }
  | {
      readonly kind: 'other';
      readonly name: string;
      readonly message: string;
      readonly stack: string | undefined;
    };

export function toErrorData(error: unknown): ErrorData {
  if (error instanceof ComportaError) {
    const { code, problem, pipeline, table, remedy, stack } = error;
    return { kind: 'comporta', code, problem, pipeline, table, remedy, stack };
  }
  if (error instanceof Error) {
    const { name, message, stack } = error;
    return { kind: 'other', name, message, stack };
  }
  return { kind: 'other', name: 'Error', message: String(error), stack: undefined };
}

/** The same error again, with the stack of where it was thrown. */
export function fromErrorData(data: ErrorData): Error {
  const error = data.kind === 'comporta' ? comportaError(data) : otherError(data);
  if (data.stack !== undefined) error.stack = data.stack;
  return error;
}

function otherError({ name, message }: Extract<ErrorData, { kind: 'other' }>): Error {
  return Object.assign(new Error(message), { name });
}

function comportaError({
  code,
  problem,
  pipeline,
  table,
  remedy,
}: Extract<ErrorData, { kind: 'comporta' }>): ComportaError {
  return new ComportaError(code, problem, {
    ...(pipeline === undefined ? {} : { pipeline }),
    ...(table === undefined ? {} : { table }),
    ...(remedy === undefined ? {} : { remedy }),
  });
}
