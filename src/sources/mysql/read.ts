import type { Query } from 'mysql2';
import type { Batch } from '../../columnar/batch';
import type { BatchBuilder } from '../../columnar/vectors';
import { ComportaError } from '../../errors';
import type { ReadStatistics } from '../source';
import type { Session, Subject } from './connection';
import type { ValueAppender } from './values';

/** When a batch is handed over. */
export interface BatchLimits {
  readonly rows: number;
  /** Bytes as they came over the wire; the row that reaches the limit is the batch's last. */
  readonly bytes: number;
}

export const DEFAULT_BATCH_LIMITS: BatchLimits = { rows: 65_536, bytes: 8 * 1024 * 1024 };

/** Where rows go: a batch and one appender per column. */
export interface RowTarget {
  readonly builder: BatchBuilder;
  readonly appenders: readonly ValueAppender[];
}

/** What the driver's events and the consumer's requests have in common. */
interface ReadState {
  bytes: number;
  ended: boolean;
  failure?: ComportaError;
  /** Lets the generator look at the state again. */
  wake: () => void;
}

type Row = readonly (Buffer | null)[];

/**
 * Runs a SELECT and hands over its rows in batches. While a batch is with its consumer the
 * connection is paused, so that besides the batch there is only what fits the sockets' buffers.
 * A consumer that stops early ends the session, because the rest of the answer is still on its way.
 */
export async function* readBatches(
  session: Session,
  sql: string,
  subject: Subject,
  { builder, appenders }: RowTarget,
  limits: BatchLimits,
  statistics: ReadStatistics,
): AsyncGenerator<Batch, void, void> {
  if (session.terminated !== undefined) throw session.terminated;
  const { driver } = session;
  const vectors = builder.columns;
  const state: ReadState = { bytes: 0, ended: false, wake: () => undefined };

  const fail = (error: unknown) => {
    state.failure ??= session.failure(error, subject);
    state.wake();
  };
  const throwFailure = () => {
    if (state.failure !== undefined) throw state.failure;
  };

  const appendRow = (row: Row) => {
    for (let index = 0; index < vectors.length; index++) {
      const value = row[index];
      if (value === null || value === undefined) {
        vectors[index]!.appendNull();
      } else {
        appenders[index]!(value);
        state.bytes += value.length;
      }
    }
    builder.rows++;
    statistics.rows++;
  };

  // Without typeCast and with rowsAsArray, each value is a view of the bytes that came in, and
  // no string, number or date is made of it.
  const statement = { sql: `${session.tag} ${sql}`, rowsAsArray: true, typeCast: false };
  const query: Query = driver.query(statement);
  const stopListening = session.onEnd(fail);
  query.on('error', fail);
  query.on('result', (row: unknown) => {
    // After a failure the rows that are still in the driver's hands fall to the ground.
    if (state.failure !== undefined) return;
    try {
      appendRow(row as Row);
    } catch (error) {
      driver.pause();
      fail(error);
      return;
    }
    if (full()) {
      driver.pause();
      state.wake();
    }
  });
  query.on('end', () => {
    state.ended = true;
    state.wake();
  });

  const full = () => builder.rows >= limits.rows || state.bytes >= limits.bytes;
  const somethingHappened = () =>
    new Promise<void>((resolve) => {
      state.wake = resolve;
      if (state.failure !== undefined || state.ended || full()) resolve();
    });

  try {
    for (;;) {
      await somethingHappened();
      throwFailure();
      if (builder.rows > 0) {
        yield builder;
        // The session may have ended while the consumer held the batch.
        throwFailure();
        builder.clear();
        state.bytes = 0;
      }
      if (state.ended) return;
      driver.resume();
    }
  } finally {
    stopListening();
    if (!state.ended) {
      session.terminate(
        state.failure ??
          new ComportaError('SourceInterrupted', 'the read was given up', { ...subject }),
      );
    }
  }
}
