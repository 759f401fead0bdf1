import type { PlannedLoad } from './api';

/** What an operator changed, carried from one execution of a controller to the next. */
export interface QueueState {
  /** Loads of earlier pages that somebody paused. */
  readonly waiting: readonly PlannedLoad[];
  /** Tables that somebody paused, also of pages to come. */
  readonly paused: readonly string[];
  /** Tables of pages to come that somebody left out, with the reason. */
  readonly skipping: readonly LeftOut[];
  readonly failed: readonly PlannedLoad[];
}

export interface LeftOut {
  readonly table: string;
  readonly reason: string;
}

export interface LeftOutLoad extends LeftOut {
  readonly load: PlannedLoad;
}

/** Failures that are kept to be tried again; more than these are told by the history alone. */
const MOST_FAILED = 500;

/**
 * The loads of a batch that have not begun, in the plan's order, and what operators do to them. No
 * clock, no randomness: it lives in a workflow.
 */
export class LoadQueue {
  private pending: PlannedLoad[];
  private readonly paused: Set<string>;
  private readonly skipping = new Map<string, string>();
  private readonly out: LeftOutLoad[] = [];
  private failed: PlannedLoad[];
  private readonly begun = new Set<string>();

  /** @param more whether the plan has pages behind this one. */
  constructor(
    page: readonly PlannedLoad[],
    private readonly more: boolean,
    state: QueueState = NOTHING_CHANGED,
  ) {
    this.pending = [...state.waiting, ...page];
    this.paused = new Set(state.paused);
    this.failed = [...state.failed];
    for (const { table, reason } of state.skipping) this.skip(table, reason);
  }

  /** The next load that may begin; undefined when there is none at present. */
  take(): PlannedLoad | undefined {
    const index = this.pending.findIndex(({ table }) => !this.paused.has(table));
    if (index < 0) return undefined;
    const [load] = this.pending.splice(index, 1);
    if (load !== undefined) this.begun.add(load.table);
    return load;
  }

  get hasNext(): boolean {
    return this.pending.some(({ table }) => !this.paused.has(table));
  }

  get pausedTables(): readonly string[] {
    return [...this.paused];
  }

  get leftOut(): readonly LeftOutLoad[] {
    return this.out;
  }

  /** Why a table cannot be kept from beginning; undefined when it can. */
  objection(table: string): string | undefined {
    if (this.pending.some((load) => load.table === table)) return undefined;
    if (this.begun.has(table)) return `${table} has begun already`;
    if (this.out.some((load) => load.table === table)) return `${table} is left out already`;
    return this.more ? undefined : `${table} is not among the tables that this batch loads`;
  }

  skip(table: string, reason: string): void {
    this.paused.delete(table);
    const index = this.pending.findIndex((load) => load.table === table);
    const [load] = index < 0 ? [] : this.pending.splice(index, 1);
    if (load === undefined) this.skipping.set(table, reason);
    else this.out.push({ table, reason, load });
  }

  pause(table: string): void {
    this.paused.add(table);
  }

  isPaused(table: string): boolean {
    return this.paused.has(table);
  }

  resume(table: string): void {
    this.paused.delete(table);
  }

  noteFailure(load: PlannedLoad): void {
    if (this.failed.length < MOST_FAILED) this.failed.push(load);
  }

  get failedTables(): readonly string[] {
    return this.failed.map(({ table }) => table);
  }

  /** Puts the failed loads before all others and returns their tables. */
  retryFailed(): readonly string[] {
    const tables = this.failedTables;
    this.pending = [...this.failed, ...this.pending];
    this.failed = [];
    return tables;
  }

  /** What the next page's queue begins with. */
  get state(): QueueState {
    return {
      waiting: this.pending,
      paused: this.pausedTables,
      skipping: [...this.skipping].map(([table, reason]) => ({ table, reason })),
      failed: this.failed,
    };
  }

  /** At the batch's end: what is still paused is left out, and the next plan looks at it again. */
  leaveOutPaused(): void {
    for (const { table } of [...this.pending]) this.skip(table, 'paused, and not resumed in time');
  }
}

const NOTHING_CHANGED: QueueState = { waiting: [], paused: [], skipping: [], failed: [] };

/** Whether there is anything to carry on; most batches run without anybody's hand. */
export function isUntouched({ waiting, paused, skipping, failed }: QueueState): boolean {
  return waiting.length + paused.length + skipping.length + failed.length === 0;
}
