import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { ComportaError } from '../../src/errors';
import type { History, Lease } from '../../src/history/history';
import {
  createSourcePlaces,
  type Place,
  type PlacesTiming,
  type SourcePlaces,
} from '../../src/load/source-places';
import type { HistoryStore } from '../history/contract';

/** Everything but the time to live is over soon, so that a scenario passes through all of it. */
export const QUICK: PlacesTiming = {
  ttl: 60_000,
  renewEvery: 1_000,
  stint: 4,
  linger: 2,
  lookEvery: 4,
};

export const CONNECTION = 'shop';

/** A worker's places on a store that it can be cut off from, as if the worker had died. */
export class TestWorker {
  readonly places: SourcePlaces;
  /** Calls on the store. */
  calls = 0;
  private dead = false;
  private readonly leases = new Set<Lease>();

  constructor(history: History, limit: number, timing: PlacesTiming = QUICK) {
    this.places = createSourcePlaces(
      {
        leaseHolders: (group) => this.call(() => history.leaseHolders(group)),
        acquireLease: (request) =>
          this.call(async () => {
            const lease = await history.acquireLease(request);
            if (lease !== undefined) this.leases.add(lease);
            return lease && this.watched(lease);
          }),
      },
      { connection: CONNECTION, limit, timing },
    );
  }

  take(
    signal = new AbortController().signal,
    onWait: (waitingFor: string) => void = () => undefined,
  ) {
    return this.places.take(signal, onWait);
  }

  die(): void {
    this.dead = true;
  }

  /** What the end of its leases' time does. */
  async expire(): Promise<void> {
    // What it asked with its last breath is answered by now.
    await this.places.close();
    await Promise.all([...this.leases].map((lease) => lease.release()));
    this.leases.clear();
  }

  private watched(lease: Lease): Lease {
    return {
      ...lease,
      renew: () => this.call(() => lease.renew()),
      release: () =>
        this.call(async () => {
          await lease.release();
          this.leases.delete(lease);
        }),
    };
  }

  private async call<Result>(work: () => Promise<Result>): Promise<Result> {
    this.calls += 1;
    if (this.dead) throw new ComportaError('HistoryFailed', 'this worker is dead');
    const result = await work();
    if (this.dead) throw new ComportaError('HistoryFailed', 'this worker is dead');
    return result;
  }
}

/** A load that has asked for a place. */
interface Asker {
  readonly worker: TestWorker;
  readonly patience: AbortController;
  readonly settled: Promise<void>;
  place?: Place;
}

/** Workers, their loads, and the rule that no more than `limit` of these are inside at any time. */
class Scene {
  private readonly workers: TestWorker[];
  private readonly dead: TestWorker[] = [];
  private readonly waiting = new Set<Asker>();
  private readonly inside = new Set<Asker>();

  constructor(
    private readonly histories: readonly History[],
    private readonly limit: number,
  ) {
    this.workers = histories.map((history) => new TestWorker(history, limit));
  }

  ask(pick: number): void {
    const worker = this.workers[pick % this.workers.length]!;
    const patience = new AbortController();
    const taken = worker.take(patience.signal);
    const asker: Asker = {
      worker,
      patience,
      settled: taken.then(
        (place) => this.enter(asker, place),
        () => void this.waiting.delete(asker),
      ),
    };
    this.waiting.add(asker);
  }

  release(pick: number): void {
    const asker = [...this.inside][pick % this.inside.size];
    if (asker === undefined || this.dead.includes(asker.worker)) return;
    this.inside.delete(asker);
    asker.place?.release();
  }

  giveUp(pick: number): void {
    [...this.waiting][pick % this.waiting.size]?.patience.abort(new Error('no patience'));
  }

  /** The worker's loads stay inside until its leases run out; another worker takes its part. */
  kill(pick: number): void {
    const index = pick % this.workers.length;
    const worker = this.workers[index]!;
    worker.die();
    this.dead.push(worker);
    this.workers[index] = new TestWorker(this.histories[index]!, this.limit);
    for (const asker of this.waiting) if (asker.worker === worker) asker.patience.abort('killed');
  }

  async expire(): Promise<void> {
    for (const worker of this.dead.splice(0)) {
      for (const asker of this.inside) if (asker.worker === worker) this.inside.delete(asker);
      await worker.expire();
    }
  }

  /** Everybody who still waits is served in the end, and nothing stays taken. */
  async end(): Promise<void> {
    await this.expire();
    while (this.waiting.size + this.inside.size > 0) {
      this.release(0);
      await delay(1);
    }
    await Promise.all(this.workers.map(({ places }) => places.close()));
  }

  private enter(asker: Asker, place: Place): void {
    this.waiting.delete(asker);
    asker.place = place;
    this.inside.add(asker);
    assert.ok(this.inside.size <= this.limit, `${this.inside.size} of ${this.limit} are inside`);
  }

  /** Rejects with what was wrong when somebody entered. */
  get correct(): Promise<unknown> {
    return Promise.all([...this.waiting, ...this.inside].map(({ settled }) => settled));
  }
}

const pick = fc.nat({ max: 20 });
const step = fc.oneof(
  { weight: 6, arbitrary: pick.map((n) => (scene: Scene) => scene.ask(n)) },
  { weight: 5, arbitrary: pick.map((n) => (scene: Scene) => scene.release(n)) },
  { weight: 2, arbitrary: pick.map((n) => (scene: Scene) => scene.giveUp(n)) },
  { weight: 1, arbitrary: pick.map((n) => (scene: Scene) => scene.kill(n)) },
  { weight: 1, arbitrary: fc.constant((scene: Scene) => scene.expire()) },
  { weight: 4, arbitrary: fc.nat({ max: 6 }).map((ms) => () => delay(ms)) },
);

/** What holds of the places of a connection on every store; registered as tests. */
export function placesContract(
  name: string,
  newStore: () => Promise<HistoryStore>,
  numRuns: number,
): void {
  describe(`places at a source: ${name}`, () => {
    let store: HistoryStore;
    let histories: History[];

    beforeEach(async () => {
      store = await newStore();
      histories = await Promise.all([store.open(), store.open(), store.open()]);
    });

    afterEach(async () => {
      await Promise.all(histories.map((history) => history.close()));
      await store.dispose();
    });

    it('never hold more loads than there are, and are all free in the end', async () => {
      const failures: unknown[] = [];
      const note = (error: unknown) => failures.push(error);
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 3 }),
          fc.array(step, { minLength: 20, maxLength: 60 }),
          async (limit, steps) => {
            const scene = new Scene(histories, limit);
            for (const one of steps) {
              await one(scene);
              void scene.correct.catch(note);
            }
            await scene.end();
            assert.deepEqual(failures, []);
            const left = await histories[0]!.leaseHolders(`connection:${CONNECTION}`);
            assert.deepEqual([...left], []);
          },
        ),
        { seed: 20261121, numRuns },
      );
    });

    it('go round between workers that never have enough', async () => {
      const workers = histories.map((history) => new TestWorker(history, 1));
      const served = workers.map(() => 0);
      const enough = () => served.every((count) => count >= 10);
      await Promise.all(
        workers.flatMap((worker, index) =>
          Array.from({ length: 3 }, async () => {
            while (!enough()) {
              const place = await worker.take();
              await delay(1);
              served[index]! += 1;
              place.release();
            }
          }),
        ),
      );
      await Promise.all(workers.map(({ places }) => places.close()));
    });
  });
}
