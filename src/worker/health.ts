import { createServer } from 'node:http';
import { messageOf } from '../errors';
import { listen, type HttpListener } from '../http-listener';
import type { ListenAddress } from './options';

/** One thing that must hold; rejects, or takes too long, when it does not. */
export interface HealthCheck {
  readonly name: string;
  readonly check: () => Promise<void>;
}

export interface HealthOptions {
  readonly address: ListenAddress;
  /** While these hold the process is worth keeping. */
  readonly live: readonly HealthCheck[];
  /** While these and the former hold it does its work. */
  readonly ready: readonly HealthCheck[];
  /** Longest time for one check, milliseconds. Default 2,000. */
  readonly timeoutMs?: number;
}

/**
 * Serves /livez and /readyz: 200 with every check `ok`, or 503 with what is wrong. Answers nothing
 * that is secret, as anybody who reaches the port may ask.
 */
export async function startHealthServer(options: HealthOptions): Promise<HttpListener> {
  const { address, live, ready, timeoutMs = 2_000 } = options;
  const checks = new Map([
    ['/livez', live],
    ['/readyz', [...live, ...ready]],
  ]);
  const server = createServer((request, response) => {
    const asked = checks.get((request.url ?? '').split('?')[0] ?? '');
    if (asked === undefined || request.method !== 'GET') {
      response.writeHead(404).end('there are /livez and /readyz\n');
      return;
    }
    void Promise.all(asked.map((check) => outcome(check, timeoutMs))).then((outcomes) => {
      const status = outcomes.every(({ problem }) => problem === undefined) ? 200 : 503;
      const lines = outcomes.map(({ name, problem }) => `${name}: ${problem ?? 'ok'}\n`);
      response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
      response.end(lines.join(''));
    });
  });
  return listen(server, address);
}

async function outcome(
  { name, check }: HealthCheck,
  timeoutMs: number,
): Promise<{ name: string; problem?: string }> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    await Promise.race([check(), late]);
    return { name };
  } catch (error) {
    return { name, problem: messageOf(error) };
  } finally {
    clearTimeout(timer);
  }
}
