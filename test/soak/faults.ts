import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../../scripts/demo/sample/random';
import { openSession } from './sources';
import type { SoakWorld } from './world';

/** What went wrong on purpose, and when: milliseconds since 1970. */
export interface Fault {
  readonly kind: string;
  /** Whose evidence of changes it may have cost: a pipeline whose database was restarted. */
  readonly forgetful?: string;
  readonly from: number;
  readonly to: number;
}

type Happening = (world: SoakWorld, random: Random) => Promise<Pick<Fault, 'forgetful'> | void>;

const HAPPENINGS: Readonly<Record<string, Happening>> = {
  'kill -9 a worker': (world, random) => world.replaceWorker(random.integer(0, 1)),
  'freeze a worker': async (world, random) => {
    const worker = world.workers[random.integer(0, 1)]!;
    worker.signal('SIGSTOP');
    try {
      await delay(random.integer(500, world.longestFreezeMs));
    } finally {
      worker.signal('SIGCONT');
    }
  },
  'kill -9 a database': async (world, random) => {
    const { server, pipeline } = random.pick(world.sources);
    await server.kill9();
    await delay(random.integer(0, 1_000));
    await server.restart();
    return { forgetful: pipeline };
  },
  'restart a database': async (world, random) => {
    const { server, pipeline } = random.pick(world.sources);
    await server.restart();
    return { forgetful: pipeline };
  },
  'restart Temporal': (world) => world.temporal.restart(),
  'cut all connections': (world, random) => interfere(world, random, 'connection'),
  'kill the queries': (world, random) => interfere(world, random, 'query'),
};

export const FAULT_KINDS: readonly string[] = Object.keys(HAPPENINGS);

/** Lets a fault happen and resolves when its cause is over; what follows from it may take longer. */
export async function cause(kind: string, world: SoakWorld, random: Random): Promise<Fault> {
  const from = Date.now();
  const consequence = await HAPPENINGS[kind]!(world, random);
  return { kind, from, to: Date.now(), ...consequence };
}

/** What a database administrator does to whoever is connected to one of the databases. */
async function interfere(
  world: SoakWorld,
  random: Random,
  what: 'connection' | 'query',
): Promise<void> {
  const source = random.pick(world.sources);
  const session = await openSession(source);
  try {
    if (source.dialect === 'postgres') {
      const stop = what === 'connection' ? 'pg_terminate_backend' : 'pg_cancel_backend';
      await session.rows(
        `SELECT ${stop}(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      );
      return;
    }
    const others = await session.rows(
      `SELECT id FROM information_schema.processlist
       WHERE db = DATABASE() AND id <> CONNECTION_ID()`,
    );
    for (const [id] of others) {
      // It may be gone by now.
      await session.run(`KILL ${what.toUpperCase()} ${String(id)}`).catch(() => undefined);
    }
  } finally {
    await session.close();
  }
}
