import { ComportaError } from '../errors';
import type { Lease, LeaseHolder, LeaseRequest } from './history';

/** One lease as the store knows it. */
export interface LeaseKey {
  readonly pipeline: string;
  readonly table: string;
  readonly owner: string;
  readonly fence: number;
}

/** What a store must do for leases; each is one atomic statement. */
export interface LeaseStore {
  /** The new fence, with the request's event appended; undefined when another owner's lease has not run out. */
  take(request: LeaseRequest): Promise<number | undefined>;
  /** Whether the lease was still this one's; a lease that ran out untaken is prolonged. */
  extend(key: LeaseKey, ttlMs: number): Promise<boolean>;
  /** Whether the lease is still this one's and has not run out. */
  isHeld(key: LeaseKey): Promise<boolean>;
  free(key: LeaseKey): Promise<void>;
  holder(pipeline: string, table: string): Promise<LeaseHolder | undefined>;
  holders(pipeline: string): Promise<ReadonlyMap<string, LeaseHolder>>;
}

/** @throws ComportaError ConfigurationInvalid for a time to live that is not positive. */
export async function acquireLease(
  store: LeaseStore,
  request: LeaseRequest,
): Promise<Lease | undefined> {
  const { pipeline, table, owner, ttlMs } = request;
  if (!(ttlMs > 0 && Number.isFinite(ttlMs))) {
    throw new ComportaError('ConfigurationInvalid', `a lease of ${ttlMs} ms cannot be held`, {
      pipeline,
      table,
    });
  }
  const fence = await store.take(request);
  if (fence === undefined) return undefined;
  const key: LeaseKey = { pipeline, table, owner, fence };
  return {
    fence,
    async renew() {
      if (!(await store.extend(key, ttlMs))) throw await leaseLost(store, key);
    },
    async assertHeld() {
      if (!(await store.isHeld(key))) throw await leaseLost(store, key);
    },
    release: () => store.free(key),
  };
}

/** From rows of table, owner and end. */
export function holdersByTable(
  rows: readonly (readonly unknown[])[],
): ReadonlyMap<string, LeaseHolder> {
  return new Map(
    rows.map(([table, owner, until]) => [
      String(table),
      { owner: String(owner), until: String(until) },
    ]),
  );
}

async function leaseLost(store: LeaseStore, key: LeaseKey): Promise<ComportaError> {
  const holder = await store.holder(key.pipeline, key.table);
  const now =
    holder === undefined ? 'nobody holds it now' : `${holder.owner} holds it until ${holder.until}`;
  return new ComportaError(
    'LeaseLost',
    `the lease of ${key.owner} with fence ${key.fence} is lost; ${now}`,
    { pipeline: key.pipeline, table: key.table, remedy: 'only the run that holds it may publish' },
  );
}

/**
 * The fence that a table starts with: the seconds since 1970. Every later one is the last plus
 * one, whatever the clocks say. A store that is lost and begun anew, or left for another, thus
 * goes on above the fences that the lake has already seen, instead of being refused there.
 */
export function firstFence(nowMs: number): number {
  return Math.max(1, Math.floor(nowMs / 1000));
}
