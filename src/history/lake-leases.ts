import { randomUUID } from 'node:crypto';
import type { ObjectStore } from '../destinations/parquet/storage';
import { entityName } from '../pipeline/entity';
import type { LeaseHolder } from './history';
import { firstFence, type LeaseKey, type LeaseStore } from './leases';

/** Who holds a table, as its document in the lake says. It stays for ever, so that its fence never goes back. */
interface LeaseDocument {
  readonly table: string;
  readonly fence: number;
  /** Without an owner the lease is free. */
  readonly owner?: string;
  /** UTC, ISO 8601. */
  readonly expiresAt?: string;
  /** Of this writing alone: where the answer to a write is lost, the writer knows its own by it. */
  readonly written: string;
}

interface FoundLease {
  readonly document: LeaseDocument;
  readonly version: string;
}

/**
 * Leases as small documents of a lake, for a history whose own store cannot decide between two who
 * ask at once. Each change is a conditional write over the version that was read, so that of two
 * writers one fails and looks again. When a lease runs out is decided by the clock of the machine
 * that asks: one that is off takes a lease too early or late, which costs the other a load and never
 * mixes two, as who publishes shows the fence.
 *
 * @param now milliseconds since 1970. Default: the machine's clock.
 */
export function createLakeLeases(lake: ObjectStore, now: () => number = Date.now): LeaseStore {
  const after = (milliseconds: number) => new Date(now() + milliseconds).toISOString();
  const runs = ({ expiresAt }: LeaseDocument) =>
    expiresAt !== undefined && Date.parse(expiresAt) > now();
  const holderIn = (document: LeaseDocument): LeaseHolder | undefined =>
    document.owner !== undefined && document.expiresAt !== undefined && runs(document)
      ? { owner: document.owner, until: document.expiresAt }
      : undefined;

  /** Changes the lease of `key` as `change` says while it is that one's. */
  const changeOwn = async (
    { pipeline, table, owner, fence }: LeaseKey,
    change: () => Pick<LeaseDocument, 'owner' | 'expiresAt'>,
  ): Promise<boolean> => {
    for (;;) {
      const found = await read(lake, pathOf(pipeline, table));
      if (found?.document.owner !== owner || found.document.fence !== fence) return false;
      if (await write(lake, pathOf(pipeline, table), { table, fence, ...change() }, found)) {
        return true;
      }
    }
  };

  return {
    async take({ pipeline, table, owner, ttlMs }) {
      const path = pathOf(pipeline, table);
      for (;;) {
        const found = await read(lake, path);
        const holder = found && holderIn(found.document);
        if (holder !== undefined && holder.owner !== owner) return undefined;
        const fence = found === undefined ? firstFence(now()) : found.document.fence + 1;
        const taken = { table, fence, owner, expiresAt: after(ttlMs) };
        if (await write(lake, path, taken, found)) return fence;
      }
    },
    extend: (key, ttlMs) => changeOwn(key, () => ({ owner: key.owner, expiresAt: after(ttlMs) })),
    async isHeld({ pipeline, table, owner, fence }) {
      const found = await read(lake, pathOf(pipeline, table));
      if (found === undefined) return false;
      return found.document.fence === fence && holderIn(found.document)?.owner === owner;
    },
    async free(key) {
      await changeOwn(key, () => ({}));
    },
    async holder(pipeline, table) {
      const found = await read(lake, pathOf(pipeline, table));
      return found && holderIn(found.document);
    },
    async holders(pipeline) {
      const paths: string[] = [];
      for await (const { path } of lake.list(folderOf(pipeline))) paths.push(path);
      const found = await Promise.all(paths.map((path) => read(lake, path)));
      const holders = new Map<string, LeaseHolder>();
      for (const one of found) {
        const holder = one && holderIn(one.document);
        if (one !== undefined && holder !== undefined) holders.set(one.document.table, holder);
      }
      return holders;
    },
  };
}

/** Beside `raw/`, where no reader of tables looks. */
function folderOf(pipeline: string): string {
  return `_leases/${fileName(pipeline)}`;
}

function pathOf(pipeline: string, table: string): string {
  return `${folderOf(pipeline)}/${fileName(table)}.json`;
}

/** Any text as a file name, different for different texts. */
function fileName(text: string): string {
  return entityName({ schema: '', name: text }, 'mysql');
}

async function read(lake: ObjectStore, path: string): Promise<FoundLease | undefined> {
  const found = await lake.get(path);
  if (found === undefined) return undefined;
  const document = JSON.parse(found.body.toString()) as LeaseDocument;
  return { document, version: found.version };
}

/** False when somebody else has written since `found` was read. */
function write(
  lake: ObjectStore,
  path: string,
  lease: Omit<LeaseDocument, 'written'>,
  found: FoundLease | undefined,
): Promise<boolean> {
  const document: LeaseDocument = { ...lease, written: randomUUID() };
  return lake.replace(path, Buffer.from(JSON.stringify(document)), found?.version);
}
