import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { createRandom, type Random } from '../../scripts/demo/sample/random';
import { runOfPath } from '../../src/destinations/parquet/layout';
import type { HistoryEvent } from '../../src/history/history';
import { planPath, type Plan } from '../../src/plan/plan';
import {
  CONTROL_TASK_QUEUE,
  controllerWorkflowId,
  ingestWorkflowId,
} from '../../src/workflows/api';
import type { controller } from '../../src/workflows';
import { eventually } from '../support/eventually';
import { User, type Change } from './changes';
import { differences } from './compare';
import { cause, FAULT_KINDS, type Fault } from './faults';
import { openSession, type SoakSource } from './sources';
import { judge, type Batch, type Verdicts } from './verdicts';
import { SETTLE_MARGIN_MS, startSoakWorld, type SoakWorld } from './world';

export interface SoakOptions {
  /** Decides every change and every fault; what they meet is up to the machine. */
  readonly seed: number;
  /** Half of them in MariaDB, half in PostgreSQL. */
  readonly tables: number;
  /** Whether another day begins, given the days so far and the milliseconds since the first began. */
  readonly goesOn: (days: number, elapsedMs: number) => boolean;
  /** Default: all, by turns. */
  readonly faults?: readonly string[];
  /** For how long a worker may be frozen. Default 20,000, past the end of its leases at the source. */
  readonly longestFreezeMs?: number;
  /** Told of every day that is over. */
  readonly progress: (line: string) => void;
}

export interface SoakReport extends Verdicts {
  readonly seed: number;
  readonly tables: number;
  readonly days: number;
  readonly loads: number;
  readonly skips: number;
  readonly rows: number;
  /** Loads that failed in a batch and came right in a later one. */
  readonly failedLoads: number;
  readonly changes: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly seconds: number;
  /** Tables whose published state is not what the source is. */
  readonly different: readonly string[];
  /** Tables loaded on the last day, before which nothing had changed. */
  readonly loadedWhenQuiet: readonly string[];
  /** Staged files, connections and leases that nobody needs any more. */
  readonly leftovers: readonly string[];
  /** Workers that nobody killed and that ended all the same. */
  readonly workersLost: readonly string[];
  /** Where everything lies, if something is wrong. */
  readonly folder?: string;
}

/** Whether nothing is wrong. */
export function isClean(report: SoakReport): boolean {
  return [...CHECKS].every((check) => report[check].length === 0);
}

export const CHECKS = [
  'different',
  'missed',
  'unexplained',
  'loadedWhenQuiet',
  'unexplainedFailures',
  'contradictions',
  'leftovers',
  'workersLost',
] as const satisfies readonly (keyof SoakReport)[];

/**
 * Simulated days: users change both databases, a batch of each pipeline runs while they go on, and
 * something breaks meanwhile. Then two days without changes, and everything is held against
 * everything: lake against source, plans against the log of changes, history against itself.
 */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  const { seed, tables, goesOn, longestFreezeMs = 20_000, progress } = options;
  const beganAt = Date.now();
  const world = await startSoakWorld({ seed, tables, longestFreezeMs });
  progress(`${tables} tables, seed ${seed}, in ${world.folder}`);
  let isKept = true;
  try {
    const life = new Life(world, options);
    const firstDayAt = Date.now();
    do await life.day();
    while (goesOn(life.days, Date.now() - firstDayAt));
    const report = await life.end((Date.now() - beganAt) / 1000);
    isKept = !isClean(report);
    return isKept ? { ...report, folder: world.folder } : report;
  } finally {
    await world.close(isKept);
  }
}

/** The longest that a day may take before it counts as one that will never end. */
const LONGEST_DAY_MS = 600_000;

class Life {
  days = 0;
  private readonly batches: Batch[] = [];
  private readonly changes: Change[] = [];
  private readonly faults: Fault[] = [];
  private readonly random: Random;
  private readonly deck: string[];

  constructor(
    private readonly world: SoakWorld,
    private readonly options: SoakOptions,
  ) {
    this.random = createRandom(`days ${options.seed}`);
    this.deck = shuffled(this.random, options.faults ?? FAULT_KINDS);
  }

  /** Changes, then a batch of each pipeline among more changes, with a fault and a long transaction. */
  async day(): Promise<void> {
    const users = this.world.sources.map((source) => new User(source, this.changes));
    const kind = this.deck[this.days % this.deck.length]!;
    const streams = users.map(() => createRandom(`users ${this.random.digits(9)}`));
    const before = Math.ceil(this.options.tables / 20);
    await Promise.all(
      users.map(async (user, index) => {
        for (let count = 0; count < before; count++) await user.change(streams[index]!);
      }),
    );
    const startFault = this.random.integer(0, 1_500);
    const commits = this.random.chance(0.7);
    const owner = users[this.random.integer(0, 1)]!;
    const [ownersRandom, faultsRandom] = [1, 2].map(() => createRandom(this.random.digits(9)));
    let isOver = false;
    const fault = async () => {
      await delay(startFault);
      this.faults.push(await cause(kind, this.world, faultsRandom!));
    };
    const goOn = users.map(async (user, index) => {
      while (!isOver) {
        await user.change(streams[index]!);
        await delay(streams[index]!.integer(50, 400));
      }
    });
    await owner.holdOpen(ownersRandom!, commits, async () => {
      await Promise.all([this.runBatches(kind), fault()]);
      isOver = true;
      await Promise.all(goOn);
    });
    await Promise.all(users.map((user) => user.leave()));
  }

  /** Two days without a change: the first loads what is left to load, the second nothing. */
  async end(seconds: number): Promise<SoakReport> {
    const { world, options } = this;
    // Changes are that old before a token may vouch for what came before them.
    await delay(SETTLE_MARGIN_MS * 2.5);
    await this.runBatches('quiet');
    await delay(SETTLE_MARGIN_MS * 2.5);
    const quiet = await this.runBatches('quiet');
    const different = await Promise.all(
      world.sources.map((source) => differences(world.lake, source)),
    );
    const events = await this.events();
    const leases = await this.leftLeases();
    await world.stopWorkers();
    const succeeded = events.filter(({ kind }) => kind === 'SUCCEEDED');
    const { batches, changes, faults } = this;
    const verdicts = judge({ batches, changes, faults, events });
    const records = JSON.stringify({ batches, changes, faults });
    await writeFile(join(world.folder, 'records.json'), records);
    return {
      seed: options.seed,
      tables: options.tables,
      days: this.days,
      loads: succeeded.length,
      skips: events.filter(({ kind }) => kind === 'SKIPPED').length,
      rows: succeeded.reduce((sum, { rowsRead = 0 }) => sum + rowsRead, 0),
      failedLoads: events.filter(({ kind }) => kind === 'FAILED').length,
      changes: changes.length,
      faults: counted(faults.map(({ kind }) => kind)),
      seconds,
      ...verdicts,
      different: different.flat(),
      loadedWhenQuiet: quiet.flatMap(loadedIn),
      workersLost: world.workersLost,
      leftovers: [
        ...leases,
        ...(await leftConnections(world.sources)),
        ...(await leftFiles(world.lake, succeeded)),
      ],
    };
  }

  /** One batch of each pipeline, both at the same time. */
  private async runBatches(what: string): Promise<readonly Batch[]> {
    this.days += 1;
    const name = `day-${String(this.days).padStart(4, '0')}`;
    const from = Date.now();
    const batches = await Promise.all(
      this.world.sources.map(({ pipeline }) => this.runBatch(pipeline, name)),
    );
    this.batches.push(...batches);
    const [loads, skips] = (['loads', 'skips'] as const).map((key) =>
      batches.reduce((sum, { plan }) => sum + (plan?.[key].length ?? 0), 0),
    );
    const took = ((Date.now() - from) / 1000).toFixed(1);
    this.options.progress(`${name}  ${loads} to load, ${skips} unchanged  ${took} s  ${what}`);
    return batches;
  }

  private async runBatch(pipeline: string, batch: string): Promise<Batch> {
    const { client, lake } = this.world;
    const workflowId = controllerWorkflowId(pipeline, batch);
    const from = Date.now();
    // A Temporal that is being restarted answers later.
    await eventually(async () => {
      await client.workflow
        .start<typeof controller>('controller', {
          workflowId,
          taskQueue: CONTROL_TASK_QUEUE,
          args: [{ pipeline, batch }],
        })
        .catch((error: unknown) => {
          if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
        });
    }, LONGEST_DAY_MS);
    await this.untilClosed(workflowId);
    const text = await readFile(join(lake, planPath(pipeline, batch)), 'utf8').catch(
      () => undefined,
    );
    const plan = text === undefined ? undefined : (JSON.parse(text) as Plan);
    for (const { table } of plan?.loads ?? []) {
      await this.untilClosed(ingestWorkflowId(pipeline, table, batch));
    }
    return { pipeline, batch, from, to: Date.now(), plan };
  }

  private async untilClosed(workflowId: string): Promise<void> {
    const handle = this.world.client.workflow.getHandle(workflowId);
    await eventually(async () => {
      const { status } = await handle.describe();
      if (status.name === 'RUNNING') throw new Error(`${workflowId} does not end`);
    }, LONGEST_DAY_MS);
  }

  private async events(): Promise<readonly HistoryEvent[]> {
    const { history, sources } = this.world;
    const found = await Promise.all(
      sources.map(({ pipeline }) => history.events({ pipeline, limit: 10_000_000 })),
    );
    return found.flatMap((events) => events.toReversed());
  }

  private async leftLeases(): Promise<string[]> {
    const { history, sources } = this.world;
    const groups = sources.flatMap(({ pipeline }) => [pipeline, `connection:${pipeline}`]);
    const left = async () => {
      const holders = await Promise.all(groups.map((group) => history.leaseHolders(group)));
      return holders.flatMap((held, index) =>
        [...held].map(([name, { owner }]) => `the lease ${groups[index]} ${name} of ${owner}`),
      );
    };
    return untilNone(left);
  }
}

/** A batch that has no plan because nothing could be planned loaded nothing, which is not what it should. */
function loadedIn({ pipeline, plan, batch }: Batch): string[] {
  if (plan === undefined) return [`${pipeline} ${batch}: there is no plan`];
  return plan.loads.map(({ table, decision }) => `${pipeline} ${table}: ${decision.reason}`);
}

function leftConnections(sources: readonly SoakSource[]): Promise<string[]> {
  return untilNone(async () => {
    const left = await Promise.all(
      sources.map(async (source) => {
        const session = await openSession(source);
        const others = await session.rows(
          source.dialect === 'mariadb'
            ? 'SELECT id, info FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()'
            : 'SELECT pid, query FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
        );
        await session.close();
        return others.map((other) => `${source.dialect} connection ${other.join(' ')}`);
      }),
    );
    return left.flat();
  });
}

/**
 * Staging of runs that were published, and data files of theirs that they do not speak of. What
 * belongs to others goes when it is a day old.
 */
async function leftFiles(lake: string, succeeded: readonly HistoryEvent[]): Promise<string[]> {
  const runs = new Set(succeeded.map(({ run }) => run));
  const known = new Set(succeeded.flatMap(({ files = [] }) => files));
  const staged = await filesBelow(lake, '_staging');
  const data = await filesBelow(lake, 'raw');
  return [
    ...staged.filter((path) => runs.has(/\/([^/]+)\.\d+(?:\/|$)/.exec(path)?.[1] ?? '')),
    ...data.filter(
      (path) =>
        path.endsWith('.parquet') && !known.has(path) && runs.has(runOfPath(path)?.run ?? ''),
    ),
  ];
}

/** Paths relative to the lake, folders among them. */
async function filesBelow(lake: string, folder: string): Promise<string[]> {
  const paths = await readdir(join(lake, folder), { recursive: true }).catch(() => []);
  return paths.map((path) => `${folder}/${path}`);
}

/** What is still left after a while in which it may go by itself. */
async function untilNone(find: () => Promise<string[]>): Promise<string[]> {
  let left: string[] = [];
  await eventually(async () => {
    left = await find();
    if (left.length > 0) throw new Error(left.join());
  }, 20_000).catch(() => undefined);
  return left;
}

function counted(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function shuffled(random: Random, items: readonly string[]): string[] {
  const left = [...items];
  return items.map(() => left.splice(random.integer(0, left.length - 1), 1)[0]!);
}
