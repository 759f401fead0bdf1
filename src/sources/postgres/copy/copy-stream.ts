import type { Socket } from 'node:net';
import { FieldTable } from '../../../columnar/fields';
import type { KernelMemory } from '../../../columnar/kernels/memory';
import type { ComportaError } from '../../../errors';
import type { Stream } from '../session';
import type { Receiver, Wire } from '../wire';
import { headerEnd, isTrailer, rowsCopied } from './copy-format';
import { ReceiveBuffer, WINDOW_BYTES } from './receive-buffer';
import { unreadable } from './unreadable';
import { COPY_DATA, MESSAGE_HEADER, ROW_HEADER, walkRows } from './walk-rows';

/** The parts of pg's connection that a query object uses; its types leave them out. */
interface QueryConnection {
  parse(statement: { text: string; name: string; types: readonly number[] }): void;
  bind(portal: { portal: string; statement: string; values: readonly unknown[] }): void;
  execute(portal: { portal: string; rows: number }): void;
  sync(): void;
  readonly stream: Socket;
}

/**
 * What may come beside the rows and is left to pg: ParseComplete, BindComplete, CopyOutResponse,
 * CopyDone, CommandComplete, ReadyForQuery, ErrorResponse, NoticeResponse, ParameterStatus,
 * NotificationResponse (postgresql.org/docs, "Message Formats").
 */
const FOR_PG: ReadonlySet<number> = new Set(Buffer.from('12HcCZENSA'));
const COMMAND_COMPLETE = 0x43;
const READY_FOR_QUERY = 0x5a;

/** No message is larger than what the server can allocate at once (MaxAllocSize), 1 GiB. */
const LARGEST_MESSAGE = 2 ** 30;

/**
 * Rows of `COPY … TO STDOUT (FORMAT binary)`, piece by piece, as places in the bytes that came.
 * The binary form is exact for every type and needs no parsing of text. While a piece is out,
 * nothing is read and TCP holds the server back, so memory is one piece and one row, whatever the
 * size of the table.
 *
 * The object is handed to `client.query`, which calls its `handle…` methods: what is no row comes
 * through here to pg.
 */
export class CopyStream implements Stream, Receiver {
  readonly fields: FieldTable;
  private readonly buffer: ReceiveBuffer;
  /** The bytes before this have been walked. */
  private at = 0;
  /** Whether a piece is complete: nothing is taken until it is given back. */
  private isHeld = false;
  /** Whether the reader has it. */
  private isOut = false;
  /** Came in one read with the end of the piece. */
  private surplus: Buffer | undefined;
  private failure: unknown;
  /** Whether it is unknown where a message begins. */
  private isLost = false;
  private hasHeader = false;
  private hasTrailer = false;
  /** What the server says it sent; known at the end. */
  rowsSent: number | undefined;
  /** Whether pg has the connection again. */
  private isReleased = false;
  private rows = 0;
  private wake: (() => void) | undefined;
  private end: (() => void) | undefined;
  /** Whether the server has said its last word about the statement. */
  isEnded = false;
  readonly ended = new Promise<void>((resolve) => (this.end = resolve));

  constructor(
    private readonly sql: string,
    columns: number,
    private readonly wire: Wire,
    private readonly memory: KernelMemory,
  ) {
    const capacity = Math.ceil(WINDOW_BYTES / (ROW_HEADER + 4 * columns));
    this.fields = new FieldTable(columns, capacity, memory);
    this.buffer = new ReceiveBuffer(memory);
    this.fields.reset(this.buffer.bytes);
  }

  /**
   * Gives back the piece before and waits for the next one. Resolves true when there are rows in
   * `fields`, false at the end; rejects with the driver's error, or with SourceInterrupted for
   * bytes that are no rows.
   */
  async next(): Promise<boolean> {
    if (this.isOut) this.giveBack();
    if (!this.isDone()) {
      this.wire.resume();
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
    if (this.failure !== undefined) throw this.failure as Error;
    this.isOut = true;
    return this.fields.rows > 0;
  }

  /** A piece that is out stays as it is: what the server still sends passes through other memory. */
  giveUp(reason: ComportaError): void {
    this.failure ??= reason;
    if (this.isHeld) {
      this.isHeld = false;
      this.buffer.leaveBefore(this.at);
      this.at = 0;
      this.proceed();
      this.deliverSurplus();
    }
    if (!this.isEnded) this.wire.resume();
    this.release();
  }

  submit(connection: unknown): void {
    const driver = connection as QueryConnection;
    this.wire.divert(driver.stream, this);
    // The extended protocol takes one statement only, whatever a filter in it says.
    driver.parse({ text: this.sql, name: '', types: [] });
    driver.bind({ portal: '', statement: '', values: [] });
    driver.execute({ portal: '', rows: 0 });
    driver.sync();
  }

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.finish();
  }

  handleError(error: unknown): void {
    this.failure ??= error;
    this.finish();
  }

  room(): Buffer | undefined {
    return this.isHeld ? undefined : this.buffer.room();
  }

  received(bytes: number): void {
    this.buffer.filled += bytes;
    this.proceed();
  }

  setAside(bytes: Buffer): void {
    this.surplus = bytes;
  }

  private giveBack(): void {
    this.isOut = false;
    this.isHeld = false;
    if (this.failure !== undefined) return;
    this.keepUnwalked();
    if (this.isEnded) return;
    this.proceed();
    this.deliverSurplus();
  }

  private deliverSurplus(): void {
    const { surplus } = this;
    this.surplus = undefined;
    if (surplus !== undefined) this.wire.deliver(surplus);
  }

  private keepUnwalked(): void {
    this.buffer.keepFrom(this.at);
    this.at = 0;
    this.fields.reset(this.buffer.bytes);
  }

  private isDone(): boolean {
    return this.isHeld || this.isEnded || this.failure !== undefined;
  }

  /** Takes what has come, up to a whole piece, and makes place for more. */
  private proceed(): void {
    try {
      if (!this.isLost) this.walk();
    } catch (error) {
      this.lose(error);
    }
    const { buffer, fields } = this;
    if (this.failure !== undefined) {
      buffer.keepFrom(this.isLost ? buffer.filled : this.at);
      this.at = 0;
      if (buffer.isFull) this.grow();
      return;
    }
    const isFull = buffer.isNearlyFull || fields.rows === fields.capacity;
    if (fields.rows > 0) {
      if (isFull || this.isEnded) this.hold();
      return;
    }
    if (this.at > 0) this.keepUnwalked();
    if (!buffer.isFull) return;
    this.grow();
    fields.reset(buffer.bytes);
  }

  /** Makes place for more of a large row. */
  private grow(): void {
    const { buffer } = this;
    try {
      buffer.growTowards(this.messageEnd());
    } catch (error) {
      this.lose(error);
      buffer.keepFrom(buffer.filled);
    }
  }

  private hold(): void {
    this.isHeld = true;
    this.release();
  }

  private walk(): void {
    const { buffer, fields } = this;
    for (;;) {
      const before = fields.rows;
      if (this.failure === undefined && this.hasHeader && !this.hasTrailer) {
        this.at = walkRows(this.memory, fields, this.at, buffer.filled);
        this.rows += fields.rows - before;
        if (fields.rows === fields.capacity) return;
      }
      if (this.at + MESSAGE_HEADER > buffer.filled) return;
      const end = this.messageEnd();
      if (end > buffer.filled) return;
      const start = this.at;
      this.at = end;
      if (buffer.bytes[start] === COPY_DATA) this.takeData(start, end);
      else this.takeMessage(start, end);
      if (this.isReleased) return;
    }
  }

  private messageEnd(): number {
    const { bytes } = this.buffer;
    const type = bytes[this.at] ?? 0;
    const length = bytes.readInt32BE(this.at + 1);
    const isKnown = type === COPY_DATA || FOR_PG.has(type);
    if (!isKnown || length < 4 || length > LARGEST_MESSAGE) {
      throw unreadable(`a message of type ${type} and length ${length}`);
    }
    return this.at + 1 + length;
  }

  /** What holds the rows without being one: the header, and the trailer. */
  private takeData(start: number, end: number): void {
    if (this.failure !== undefined) return;
    const { bytes } = this.buffer;
    const message = bytes.subarray(start + MESSAGE_HEADER, end);
    if (this.hasHeader) {
      if (this.hasTrailer || !isTrailer(message)) {
        throw unreadable(
          `a row has not the ${this.fields.starts.length} fields that were asked for`,
        );
      }
      this.hasTrailer = true;
      return;
    }
    this.hasHeader = true;
    const row = start + MESSAGE_HEADER + headerEnd(message);
    if (row === end) return;
    // The first row may share the header's message: here it gets one of its own.
    this.at = row - MESSAGE_HEADER;
    bytes[this.at] = COPY_DATA;
    bytes.writeInt32BE(end - this.at - 1, this.at + 1);
  }

  private takeMessage(start: number, end: number): void {
    const { bytes, filled } = this.buffer;
    const type = bytes[start];
    const message = Buffer.from(bytes.subarray(start, end));
    if (type === COMMAND_COMPLETE && this.failure === undefined) {
      const announced = rowsCopied(message);
      if (!this.hasTrailer || announced !== this.rows) {
        throw unreadable(`${this.rows} of ${announced} rows came`);
      }
      this.rowsSent = announced;
    }
    if (type !== READY_FOR_QUERY) return this.wire.passOn(message);
    if (this.rowsSent === undefined) this.failure ??= unreadable('their end is missing');
    const behind = Buffer.from(bytes.subarray(end, filled));
    this.at = filled;
    this.isReleased = true;
    this.wire.release();
    this.wire.passOn(message);
    if (behind.length > 0) this.wire.passOn(behind);
  }

  /** Without knowing where the next message begins, nothing of this connection can be used. */
  private lose(error: unknown): void {
    this.failure ??= error;
    this.isLost = true;
    this.wire.destroy();
    this.release();
  }

  private finish(): void {
    this.isEnded = true;
    this.end?.();
    this.release();
  }

  private release(): void {
    const { wake } = this;
    this.wake = undefined;
    wake?.();
  }
}
