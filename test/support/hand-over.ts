import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { loopback } from '../../scripts/services/service';
import type { BookOptions } from './platform-endpoint/job-book';
import type { ResidentSpark } from './resident-spark';

/**
 * Jobs as processes of their own, as platforms start and kill them, whose work a resident Spark does,
 * one after the other. One that is killed before its turn does nothing; one that is killed later
 * still works to its end, as an executor does that nobody has told.
 */
export interface HandOver {
  /** For a platform of the local endpoint. */
  readonly run: BookOptions['run'];
  /** In place of spark-submit. */
  readonly submit: string;
  close(): Promise<void>;
}

export async function startHandOver(spark: ResidentSpark): Promise<HandOver> {
  let turn: Promise<unknown> = Promise.resolve();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined).on('close', () => sockets.delete(socket)));
    createInterface({ input: socket }).once('line', (line) => {
      const { request, attempt } = JSON.parse(line) as { request: string; attempt: number };
      turn = turn.then(async () => {
        if (socket.closed) return;
        const moved = await spark.move(request, attempt).catch(() => false);
        socket.end(`${moved}\n`);
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, loopback, resolve));
  const words = [join(__dirname, 'hand_over.py'), String((server.address() as AddressInfo).port)];
  return {
    run: (_script, args) => ({ command: 'python3', args: [...words, ...args] }),
    submit: ['python3', ...words].join(' '),
    async close() {
      await turn;
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
