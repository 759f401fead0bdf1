import { connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { loopback } from './service';

/**
 * Ports of 127.0.0.1 that nothing listens on now. All are held until the last is found, so that
 * no two are equal.
 */
export async function freePorts(count: number): Promise<number[]> {
  const holders = await Promise.all(Array.from({ length: count }, () => listenAnywhere()));
  await Promise.all(holders.map((holder) => holder.release()));
  return holders.map((holder) => holder.port);
}

/** One port of 127.0.0.1 that nothing listens on now. */
export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  return port!;
}

function listenAnywhere(): Promise<{ port: number; release(): Promise<void> }> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, loopback, () => {
      const address = server.address();
      if (address === null || typeof address === 'string') {
        reject(new Error('The system gave no port number.'));
        return;
      }
      resolve({
        port: address.port,
        release: () => new Promise((released) => server.close(() => released())),
      });
    });
  });
}

/** Resolves when something accepts a connection on this port of 127.0.0.1, rejects otherwise. */
export function acceptsConnection(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: loopback, port });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
  });
}

export interface PollOptions {
  /** Milliseconds after which the last error is thrown. Default: 60,000. */
  readonly timeoutMs?: number;
  /** Milliseconds between two attempts. Default: 20. */
  readonly intervalMs?: number;
  /** Throws when waiting longer is pointless, e.g. because the server has exited. */
  readonly giveUp?: () => void;
}

/**
 * Calls `attempt` until it resolves and returns its value.
 * @throws the last error of `attempt` once the time is over, or whatever `giveUp` throws.
 */
export async function poll<Value>(
  attempt: () => Promise<Value>,
  { timeoutMs = 60_000, intervalMs = 20, giveUp = () => undefined }: PollOptions = {},
): Promise<Value> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    giveUp();
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() >= deadline) throw error;
    }
    await delay(intervalMs);
  }
}
