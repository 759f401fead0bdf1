import type { BatchBuilder } from '../../columnar/vectors';
import { ComportaError } from '../../errors';
import type { FieldDecoder } from './decode';
import type { Stream } from './session';

/** A batch goes out when it has this many rows or bytes, whichever comes first. */
export const BATCH_ROWS = 65_536;
export const BATCH_BYTES = 8 * 1024 * 1024;

/** The parts of pg's connection that a query object uses; its types leave them out. */
interface QueryConnection {
  parse(statement: { text: string; name: string; types: readonly number[] }): void;
  bind(portal: { portal: string; statement: string; values: readonly unknown[] }): void;
  execute(portal: { portal: string; rows: number }): void;
  sync(): void;
  readonly stream: { pause(): void; resume(): void };
}

/** `PGCOPY\n\377\r\n\0`, flags, and the length of a header extension. */
const SIGNATURE_BYTES = 11;
const HEADER_BYTES = SIGNATURE_BYTES + 8;
const TRAILER = -1;
const NULL_LENGTH = -1;

/**
 * Rows of `COPY … TO STDOUT (FORMAT binary)`, as batches. The binary form is exact for every type
 * and needs no parsing of text; one message is one row (postgresql.org/docs, "COPY Operations").
 * While a batch is out, the socket is paused and TCP holds the server back, so memory is one batch,
 * one row and what one read of the socket brought, whatever the size of the table.
 *
 * The object is handed to `client.query`, which calls its `handle…` methods.
 */
export class CopyRows implements Stream {
  private connection: QueryConnection | undefined;
  private isFirst = true;
  private isOut = false;
  private failure: unknown;
  /** Rows that came in one read of the socket with the row that filled the batch. */
  private surplus: Buffer[] = [];
  private wake: (() => void) | undefined;
  private end: (() => void) | undefined;
  /** Whether the server has said its last word about the statement. */
  isEnded = false;
  readonly ended = new Promise<void>((resolve) => (this.end = resolve));

  constructor(
    private readonly sql: string,
    private readonly builder: BatchBuilder,
    private readonly decoders: readonly FieldDecoder[],
  ) {}

  /**
   * Fills the builder. Resolves true when there is something in it, false at the end; rejects with
   * the driver's error or with what a decoder threw. Clear the builder before the next call.
   */
  async fill(): Promise<boolean> {
    this.isOut = false;
    const held = this.surplus;
    this.surplus = [];
    for (const row of held) this.take(row);
    if (!this.isDone()) {
      this.connection?.stream.resume();
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
    if (this.failure !== undefined) throw this.failure as Error;
    return this.builder.rows > 0;
  }

  giveUp(reason: ComportaError): void {
    this.failure ??= reason;
    this.connection?.stream.resume();
    this.release();
  }

  submit(connection: unknown): void {
    this.connection = connection as QueryConnection;
    // The extended protocol takes one statement only, whatever a filter in it says.
    this.connection.parse({ text: this.sql, name: '', types: [] });
    this.connection.bind({ portal: '', statement: '', values: [] });
    this.connection.execute({ portal: '', rows: 0 });
    this.connection.sync();
  }

  handleCopyData({ chunk }: { readonly chunk: Buffer }): void {
    if (this.failure !== undefined) return;
    // pg reuses the buffer below the chunk for its next read.
    if (this.isOut) this.surplus.push(Buffer.from(chunk));
    else this.take(chunk);
  }

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.finish();
  }

  handleError(error: unknown): void {
    this.failure ??= error;
    this.finish();
  }

  private finish(): void {
    this.isEnded = true;
    this.end?.();
    this.release();
  }

  private isDone(): boolean {
    return this.isOut || this.isEnded || this.failure !== undefined;
  }

  private take(row: Buffer): void {
    if (this.failure !== undefined) return;
    if (this.isOut) {
      this.surplus.push(row);
      return;
    }
    try {
      this.decode(row);
    } catch (error) {
      this.failure = error;
    }
    const { builder } = this;
    const isFull = builder.rows >= BATCH_ROWS || builder.byteLength >= BATCH_BYTES;
    if (isFull || this.failure !== undefined) {
      this.isOut = true;
      this.connection?.stream.pause();
      this.release();
    }
  }

  private decode(row: Buffer): void {
    const { builder, decoders } = this;
    let at = 0;
    if (this.isFirst) {
      this.isFirst = false;
      at = HEADER_BYTES + row.readInt32BE(HEADER_BYTES - 4);
      if (at === row.length) return;
    }
    const fields = row.readInt16BE(at);
    at += 2;
    if (fields === TRAILER) return;
    if (fields !== decoders.length) {
      throw new ComportaError(
        'SourceRejected',
        `a row has ${fields} fields, not ${decoders.length}`,
      );
    }
    for (let i = 0; i < fields; i++) {
      const length = row.readInt32BE(at);
      at += 4;
      if (length === NULL_LENGTH) {
        builder.columns[i]!.appendNull();
        continue;
      }
      decoders[i]!(row, at, length);
      at += length;
    }
    builder.rows += 1;
  }

  private release(): void {
    const { wake } = this;
    this.wake = undefined;
    wake?.();
  }
}
