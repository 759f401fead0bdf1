import { Duplex } from 'node:stream';
import { Connection } from 'pg';
import { KernelMemory } from '../../../../src/columnar/kernels/memory';
import { BatchBuilder } from '../../../../src/columnar/vectors';
import { ComportaError } from '../../../../src/errors';
import { CopyStream } from '../../../../src/sources/postgres/copy/copy-stream';
import { createKernel } from '../../../../src/sources/postgres/copy/kernel';
import type { PlannedColumn } from '../../../../src/sources/postgres/plan';
import { Wire } from '../../../../src/sources/postgres/wire';
import type { Value } from '../../../support/columns';
import { vectorValues } from '../reading';
import type { Field } from './copy-bytes';
import { createFieldDecoder } from './slow-decode';

/** What came of a reading: all values of each column, or why there are none. */
export interface Outcome {
  readonly values: readonly (readonly Value[])[];
  readonly invalidValues: number;
  readonly error?: unknown;
}

/** A socket whose other end is the test. */
class TestSocket extends Duplex {
  override _read(): void {}
  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done();
  }
}

interface PgConnection extends Connection {
  attachListeners(stream: Duplex): void;
  readonly stream: Duplex;
}

/** Of the stream that was opened last, and of the kernels that read it. */
export const memory = new KernelMemory();

/** A stream of rows on a connection of pg's whose server is the test. */
export function openCopy(columns: number) {
  memory.reset();
  const socket = new TestSocket();
  const wire = new Wire(true);
  const connection = new Connection({
    stream: () => socket,
  }) as unknown as PgConnection;
  connection.attachListeners(socket);
  const rows = new CopyStream('COPY …', columns, wire, memory);
  const seenByPg: string[] = [];
  connection.on('message', ({ name }: { name: string }) => seenByPg.push(name));
  connection.on('readyForQuery', () => rows.handleReadyForQuery());
  connection.on('errorMessage', (error: Error) => rows.handleError(error));
  wire.socket.on('close', () => socket.destroy());
  socket.on('close', () => {
    if (!rows.isEnded) rows.handleError(new Error('Connection terminated unexpectedly'));
  });
  rows.submit(connection);
  return { rows, socket, wire, seenByPg };
}

export function buildKernels(columns: readonly PlannedColumn[]) {
  const builder = new BatchBuilder(
    columns.map(({ spec }) => spec),
    memory,
  );
  const statistics = { rows: 0, invalidValues: 0 };
  const context = { table: 'public.t', statistics, memory };
  const kernels = columns.map((column, i) => createKernel(column, i, builder.columns[i]!, context));
  return { builder, statistics, kernels };
}

/** The answer as production reads it, arriving in these pieces; when no more comes, the connection is cut. */
export async function fastRead(
  columns: readonly PlannedColumn[],
  pieces: readonly Buffer[],
): Promise<Outcome> {
  const { rows, socket } = openCopy(columns.length);
  const { builder, statistics, kernels } = buildKernels(columns);
  const values: Value[][] = columns.map(() => []);
  for (const piece of pieces) socket.push(piece);
  const next = async () => {
    const more = rows.next();
    let isWaiting = true;
    void more.catch(() => undefined).then(() => (isWaiting = false));
    for (let turns = 0; turns < 3 || socket.readableLength > 0; turns++) {
      await new Promise(setImmediate);
      if (!isWaiting) return more;
    }
    socket.destroy();
    return more;
  };
  try {
    while (await next()) {
      for (const kernel of kernels) kernel(rows.fields);
      builder.columns.forEach((vector, i) => values[i]!.push(...vectorValues(vector)));
      builder.clear();
    }
    return { values, invalidValues: statistics.invalidValues };
  } catch (error) {
    return { values: [], invalidValues: 0, error };
  } finally {
    rows.giveUp(new ComportaError('SourceInterrupted', 'the test is over'));
    socket.destroy();
  }
}

/** The same rows, value by value. */
export function slowRead(
  columns: readonly PlannedColumn[],
  rows: readonly (readonly Field[])[],
): Outcome {
  const builder = new BatchBuilder(columns.map(({ spec }) => spec));
  const statistics = { rows: 0, invalidValues: 0 };
  const context = { table: 'public.t', statistics };
  const decoders = columns.map((column, i) =>
    createFieldDecoder(column, builder.columns[i]!, context),
  );
  try {
    for (const row of rows) {
      row.forEach((field, i) => {
        if (field === null) builder.columns[i]!.appendNull();
        else decoders[i]!(field, 0, field.length);
      });
    }
    return {
      values: builder.columns.map(vectorValues),
      invalidValues: statistics.invalidValues,
    };
  } catch (error) {
    return { values: [], invalidValues: 0, error };
  }
}
