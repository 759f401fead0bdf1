import { KernelMemory } from '../../../../src/columnar/kernels/memory';
import { BatchBuilder } from '../../../../src/columnar/vectors';
import { ComportaError } from '../../../../src/errors';
import type { Session } from '../../../../src/sources/mysql/connection';
import type { PlannedColumn } from '../../../../src/sources/mysql/plan';
import { readBatches, type BatchLimits } from '../../../../src/sources/mysql/read';
import { plainTransport } from '../../../../src/sources/mysql/wire/transport';
import { WIRE } from '../../../../src/sources/mysql/wire/wire-types';
import type { ReadStatistics } from '../../../../src/sources/source';
import type { LogicalType } from '../../../../src/types/logical';
import { rowsOf } from '../support';

const MAX_PAYLOAD = 0xff_ff_ff;

/** A column as the server would send it, and how its values look there. */
export interface SentColumn {
  readonly type: number;
  readonly logical: LogicalType;
  readonly unsigned?: boolean;
  readonly wire?: PlannedColumn['wire'];
  readonly invalidDates?: 'null' | 'fail';
}

/** The bytes of a value, without a length; null for NULL. */
export type SentValue = Buffer | null;

const FIXED = new Set<number>([
  ...[WIRE.tiny, WIRE.short, WIRE.long, WIRE.int24, WIRE.longlong],
  ...[WIRE.float, WIRE.double, WIRE.year],
]);

export function lengthEncoded(length: number): Buffer {
  if (length <= 250) return Buffer.from([length]);
  const bytes = length < 2 ** 16 ? 2 : length < 2 ** 24 ? 3 : 6;
  const encoded = Buffer.alloc(1 + (bytes === 6 ? 8 : bytes));
  encoded[0] = bytes === 2 ? 252 : bytes === 3 ? 253 : 254;
  encoded.writeUIntLE(length, 1, bytes);
  return encoded;
}

/** Packets of payloads, numbered from 1, those of 16 MiB and more in parts. */
export function packets(payloads: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [];
  let sequence = 1;
  for (const payload of payloads) {
    for (let from = 0; from <= payload.length; from += MAX_PAYLOAD) {
      const part = payload.subarray(from, from + MAX_PAYLOAD);
      const header = Buffer.alloc(4);
      header.writeUIntLE(part.length, 0, 3);
      header[3] = sequence++ & 0xff;
      parts.push(header, part);
      if (part.length < MAX_PAYLOAD) break;
    }
  }
  return Buffer.concat(parts);
}

export const EOF = Buffer.from([0xfe, 0, 0, 2, 0]);

export function errorPayload(errno: number, message: string): Buffer {
  const head = Buffer.from([0xff, errno & 0xff, errno >> 8]);
  return Buffer.concat([head, Buffer.from(`#HY000${message}`)]);
}

export function definitionPayload({ type, unsigned }: SentColumn, index: number): Buffer {
  const name = Buffer.from(`c${index}`);
  const names = ['def', 'db', 't', 't', name.toString(), name.toString()];
  const fixed = Buffer.alloc(13);
  fixed[0] = 12;
  fixed[7] = type;
  fixed.writeUInt16LE(unsigned === true ? 0x20 : 0, 8);
  fixed[10] = 6;
  return Buffer.concat([
    ...names.flatMap((text) => [lengthEncoded(text.length), Buffer.from(text)]),
    fixed,
  ]);
}

export function rowPayload(columns: readonly SentColumn[], values: readonly SentValue[]): Buffer {
  const bitmap = Buffer.alloc((columns.length + 9) >> 3);
  const parts: Buffer[] = [Buffer.from([0]), bitmap];
  values.forEach((value, index) => {
    if (value === null) bitmap[(index + 2) >> 3]! |= 1 << ((index + 2) & 7);
    else if (FIXED.has(columns[index]!.type)) parts.push(value);
    else parts.push(lengthEncoded(value.length), value);
  });
  return Buffer.concat(parts);
}

/** A whole answer to COM_STMT_EXECUTE. */
export function answer(
  columns: readonly SentColumn[],
  rows: readonly (readonly SentValue[])[],
  end: Buffer = EOF,
): Buffer {
  return packets([
    lengthEncoded(columns.length),
    ...columns.map(definitionPayload),
    EOF,
    ...rows.map((values) => rowPayload(columns, values)),
    end,
  ]);
}

export interface Reading {
  readonly rows: unknown[][];
  readonly batches: number;
  readonly statistics: ReadStatistics;
}

export const LOST = new ComportaError('SourceInterrupted', 'the connection is lost');

/** Of the reading under way: one at a time. */
const memory = new KernelMemory();

/**
 * Reads an answer that arrives in chunks, as from a socket; after the last one the connection is
 * lost. The session and its socket are made up, everything between is the real thing.
 */
export async function readAnswer(
  columns: readonly SentColumn[],
  chunks: Iterable<Uint8Array>,
  limits: BatchLimits = { rows: 5, bytes: 4096 },
): Promise<Reading> {
  const planned: PlannedColumn[] = columns.map(({ logical, wire = 'usual', ...rest }, index) => ({
    spec: { name: `c${index}`, type: logical, nullable: true, sourceType: 'made up' },
    select: `c${index}`,
    wire,
    ...(rest.invalidDates === undefined ? {} : { invalidDates: rest.invalidDates }),
  }));
  memory.reset();
  const builder = new BatchBuilder(
    planned.map(({ spec }) => spec),
    memory,
  );
  const statistics = { rows: 0, invalidValues: 0 };
  const session = sessionOver(chunks);
  const target = { columns: planned, maskers: [], builder, memory };
  const rows: unknown[][] = [];
  let batches = 0;
  const subject = { table: 'made_up' };
  for await (const batch of readBatches(session, '', subject, target, limits, statistics)) {
    rows.push(...rowsOf(batch));
    batches++;
  }
  return { rows, batches, statistics };
}

function sessionOver(chunks: Iterable<Uint8Array>): Session {
  const plain = plainTransport();
  const source = chunks[Symbol.iterator]();
  const listeners = new Set<(error: unknown) => void>();
  let place = place0();
  let waiting: Uint8Array = new Uint8Array(0);
  let reads = false;
  let started = false;

  function place0(): Uint8Array {
    return (plain.onread.buffer as () => Uint8Array)();
  }
  /** What the event loop does with a socket: one reading, as much as the place takes. */
  function turn(): void {
    if (!reads || !started) return;
    if (waiting.length === 0) {
      const next = source.next();
      if (next.done === true) {
        for (const listener of [...listeners]) listener(LOST);
        return;
      }
      waiting = next.value;
    }
    const count = Math.min(place.length, waiting.length);
    place.set(waiting.subarray(0, count));
    waiting = waiting.subarray(count);
    reads = plain.onread.callback(count, place);
    place = place0();
    queueMicrotask(turn);
  }

  const socket = {
    write: () => {
      started = true;
    },
    resume: () => {
      if (reads) return;
      reads = true;
      queueMicrotask(turn);
    },
    emit: () => true,
  };
  return {
    transport: plain.over(socket as never),
    tag: '',
    id: '1',
    server: 'scripted',
    attend: (_subject, wait) => wait(),
    terminated: undefined,
    query: () => Promise.resolve([]),
    prepare: () => Promise.resolve({ id: 1, close: () => undefined }),
    terminate: () => {
      reads = false;
      started = false;
    },
    onEnd(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    failure: (error) =>
      error instanceof ComportaError
        ? error
        : new ComportaError('SourceRejected', (error as Error).message, { cause: error }),
    close: () => Promise.resolve(),
  };
}
