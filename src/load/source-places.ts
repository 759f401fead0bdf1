import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { ComportaError, messageOf } from '../errors';
import type { History, Lease } from '../history/history';

/** Lets as many loads read from a source at a time as its connection allows, whoever loads them. */
export interface SourcePlaces {
  /**
   * Resolves when the caller may read. `onWait` is called first when that is not at once, with what
   * is waited for. A signal that fires meanwhile rejects with its reason.
   * @throws ComportaError when the history refuses for good.
   */
  take(signal: AbortSignal, onWait: (waitingFor: string) => void): Promise<Place>;
  /** Gives all places back. */
  close(): Promise<void>;
}

export interface Place {
  /** Fires when the place was lost to another worker, with the error that the load must end with. */
  readonly signal: AbortSignal;
  /** Ends the reading. Safe to repeat. */
  release(): void;
}

export interface SourcePlacesOptions {
  /** Name of the connection: all who name it in the same history share its places. */
  readonly connection: string;
  readonly limit: number;
  readonly timing?: PlacesTiming;
}

/** Milliseconds. */
export interface PlacesTiming {
  /** How long the places of a dead worker stay taken. */
  readonly ttl: number;
  readonly renewEvery: number;
  /** How long a worker may hand a place from load to load while another worker waits. */
  readonly stint: number;
  /** How long a place is kept for a load that may come. */
  readonly linger: number;
  /** The longest pause between two looks at the history, of which a worker makes one for all its loads. */
  readonly lookEvery: number;
}

/** The places of a dead worker are free by the time its heartbeats are missed (15 s). */
const TIMING: PlacesTiming = {
  ttl: 15_000,
  renewEvery: 4_000,
  stint: 2_000,
  linger: 250,
  lookEvery: 500,
};

const SHORTEST_LOOK_MS = 25;

/** A pipeline's name has no colon, so that these leases never meet those of tables. */
const leaseGroup = (connection: string) => `connection:${connection}`;

/** The lease of the worker that gets the next free place. */
const NEXT = 'next';

/**
 * The places are numbered leases in the history. A worker asks for them with one voice, whatever the
 * number of its loads, and hands a place from one load to the next without asking. So that no worker
 * starves, the one that has waited takes the lease `next`: then nobody else takes a free place, and
 * who has held one for a while gives it up between two loads. Who was served pauses before it gets
 * in line again, so that others come first.
 */
export function createSourcePlaces(
  history: Pick<History, 'acquireLease' | 'leaseHolders'>,
  options: SourcePlacesOptions,
): SourcePlaces {
  return new LeasedPlaces(history, options);
}

interface Waiter {
  give(place: HeldPlace): void;
  fail(error: Error): void;
}

/** A place that this worker has, with or without a load in it. */
interface HeldPlace {
  readonly name: string;
  readonly lease: Lease;
  readonly renewal: NodeJS.Timeout;
  /** When the others last had a chance at it. */
  since: number;
  /** Of the load in it. */
  occupant?: AbortController;
  /** While it has none and none has come yet. */
  lingering?: NodeJS.Timeout;
}

class LeasedPlaces implements SourcePlaces {
  private readonly group: string;
  private readonly names: readonly string[];
  private readonly timing: PlacesTiming;
  /** For people who look at the leases, and to tell this worker from others. */
  private readonly owner = `${hostname()}:${process.pid}:${randomUUID().slice(0, 8)}`;
  private readonly held = new Set<HeldPlace>();
  private readonly waiting: Waiter[] = [];
  private readonly returning = new Set<Promise<void>>();
  private inLine: { readonly lease: Lease; since: number } | undefined;
  private seeking: Promise<void> | undefined;
  private readonly closing = new AbortController();

  constructor(
    private readonly history: Pick<History, 'acquireLease' | 'leaseHolders'>,
    private readonly options: SourcePlacesOptions,
  ) {
    this.group = leaseGroup(options.connection);
    this.names = Array.from({ length: options.limit }, (_, index) => `place ${index + 1}`);
    this.timing = options.timing ?? TIMING;
  }

  async take(signal: AbortSignal, onWait: (waitingFor: string) => void): Promise<Place> {
    signal.throwIfAborted();
    const idle = [...this.held].find(({ lingering }) => lingering !== undefined);
    if (idle !== undefined) return this.occupy(idle);
    const { connection, limit } = this.options;
    onWait(`one of the ${limit} places at ${connection}`);
    return new Promise<Place>((resolve, reject) => {
      const leave = () => {
        this.waiting.splice(this.waiting.indexOf(waiter), 1);
        reject(signal.reason as Error);
      };
      const waiter: Waiter = {
        give: (place) => {
          signal.removeEventListener('abort', leave);
          resolve(this.occupy(place));
        },
        fail: (error) => {
          signal.removeEventListener('abort', leave);
          reject(error);
        },
      };
      this.waiting.push(waiter);
      signal.addEventListener('abort', leave, { once: true });
      this.seek();
    });
  }

  async close(): Promise<void> {
    this.closing.abort();
    await this.seeking;
    for (const place of this.held) this.giveBack(place);
    await Promise.all(this.returning);
  }

  private occupy(place: HeldPlace): Place {
    clearTimeout(place.lingering);
    delete place.lingering;
    const occupant = (place.occupant = new AbortController());
    return {
      signal: occupant.signal,
      release: () => {
        if (place.occupant !== occupant) return;
        delete place.occupant;
        if (this.held.has(place)) this.passOn(place);
      },
    };
  }

  /** Its load has ended. */
  private passOn(place: HeldPlace): void {
    if (this.waiting.length === 0) this.keepFor(place, this.timing.linger);
    else if (performance.now() - place.since < this.timing.stint) this.waiting.shift()?.give(place);
    else void this.passOnUnlessWanted(place);
  }

  private async passOnUnlessWanted(place: HeldPlace): Promise<void> {
    const isWanted = await this.isWantedElsewhere().catch(() => false);
    if (!this.held.has(place)) return;
    if (isWanted) {
      this.giveBack(place);
      this.seek();
    } else {
      place.since = performance.now();
      this.passOn(place);
    }
  }

  private async isWantedElsewhere(): Promise<boolean> {
    const next = (await this.history.leaseHolders(this.group)).get(NEXT);
    return next !== undefined && next.owner !== this.owner;
  }

  private keepFor(place: HeldPlace, milliseconds: number): void {
    place.lingering = setTimeout(() => this.giveBack(place), milliseconds);
    place.lingering.unref();
  }

  /** What cannot be given back runs out by itself. */
  private giveBack(place: HeldPlace): void {
    this.forget(place);
    const returned = place.lease.release().catch(() => undefined);
    this.returning.add(returned);
    void returned.then(() => this.returning.delete(returned));
  }

  private forget(place: HeldPlace): void {
    clearInterval(place.renewal);
    clearTimeout(place.lingering);
    delete place.lingering;
    this.held.delete(place);
  }

  /** Looks for places as long as loads wait and more may be had. One search at a time. */
  private seek(): void {
    this.seeking ??= this.search().finally(() => {
      this.seeking = undefined;
      if (this.isSeeking) this.seek();
    });
  }

  private get isSeeking(): boolean {
    const { held, waiting, options, closing } = this;
    return waiting.length > 0 && held.size < options.limit && !closing.signal.aborted;
  }

  private async search(): Promise<void> {
    const { lookEvery } = this.timing;
    let pause = SHORTEST_LOOK_MS;
    while (this.isSeeking) {
      const hadToWait = this.inLine !== undefined;
      const found = await this.look();
      if (found) await this.leaveLine();
      if (found && !hadToWait) continue;
      pause = found ? lookEvery * 1.5 : Math.min(lookEvery, pause * 1.5);
      await this.rest(pause * (0.75 + Math.random() / 4));
    }
    await this.leaveLine();
  }

  /** One look at the history: takes a free place, or gets in line. Whether it brought a place. */
  private async look(): Promise<boolean> {
    try {
      const holders = await this.history.leaseHolders(this.group);
      const next = holders.get(NEXT);
      if (next !== undefined && next.owner !== this.owner) return false;
      const own = new Set([...this.held].map(({ name }) => name));
      const free = this.names.find((name) => !holders.has(name) && !own.has(name));
      const lease = free === undefined ? undefined : await this.acquire(free);
      if (free !== undefined && lease !== undefined) {
        this.receive(free, lease);
        return true;
      }
      await this.getInLine();
    } catch (error) {
      this.endure(error);
    }
    return false;
  }

  /** A history that does not answer is asked again: waiting must not cost the loads an attempt. */
  private endure(error: unknown): void {
    if (error instanceof ComportaError && error.retryable) return;
    const failure = error instanceof Error ? error : new Error(messageOf(error));
    for (const waiter of this.waiting.splice(0)) waiter.fail(failure);
  }

  private acquire(name: string): Promise<Lease | undefined> {
    return this.history.acquireLease({
      pipeline: this.group,
      table: name,
      owner: this.owner,
      ttlMs: this.timing.ttl,
    });
  }

  private receive(name: string, lease: Lease): void {
    const renewal = setInterval(() => {
      lease.renew().catch((error: unknown) => {
        if (error instanceof ComportaError && error.code === 'LeaseLost') this.lose(place, error);
      });
    }, this.timing.renewEvery);
    renewal.unref();
    const place: HeldPlace = { name, lease, renewal, since: performance.now() };
    this.held.add(place);
    const waiter = this.waiting.shift();
    if (waiter === undefined) this.keepFor(place, this.timing.linger);
    else waiter.give(place);
  }

  /** This worker was silent for so long that another has the place: its load must not go on. */
  private lose(place: HeldPlace, cause: ComportaError): void {
    if (!this.held.has(place)) return;
    this.forget(place);
    const { connection, limit } = this.options;
    place.occupant?.abort(
      new ComportaError(
        'LeaseLost',
        `the load lost its place, one of ${limit} at ${connection}, to another`,
        { cause, remedy: 'it is tried again when a place is free' },
      ),
    );
    this.seek();
  }

  private async getInLine(): Promise<void> {
    const now = performance.now();
    if (this.inLine !== undefined && now - this.inLine.since < this.timing.renewEvery) return;
    const lease = await this.acquire(NEXT);
    this.inLine = lease === undefined ? undefined : { lease, since: now };
  }

  private async leaveLine(): Promise<void> {
    const { inLine } = this;
    this.inLine = undefined;
    await inLine?.lease.release().catch(() => undefined);
  }

  private async rest(milliseconds: number): Promise<void> {
    await delay(milliseconds, undefined, { signal: this.closing.signal }).catch(() => undefined);
  }
}
