import type { Destination } from '../destination';
import { listCurrent, publishedState, readCurrent } from './current-state';
import type { TableFollower } from './follower';
import { noteOfPath, notePath, runFolder } from './layout';
import { createParquetStaging, type ParquetDestinationOptions } from './parquet-staging';
import { publish } from './publish';
import { deriveReaders } from './readers';
import { discardRun, retain } from './retain';
import { takeUp } from './staged-part';
import type { ObjectStore, StagingReceipt } from './storage';

const GIB = 1024 ** 3;

/** A lake of Parquet files on an object store, laid out as docs/lake.md describes. */
export function createParquetDestination(
  store: ObjectStore,
  settings: ParquetDestinationOptions,
  follower?: TableFollower,
): Destination {
  return {
    ...createParquetStaging(store, settings),
    description: store.description,
    async published(domain, entity) {
      const current = await readCurrent(store, domain, entity);
      return current && publishedState(current.document);
    },
    publishedEntities: (domain) => listCurrent(store, domain),
    async publish(request) {
      const { identity, files } = request;
      const parts = files.map((file) => takeUp(store, file));
      try {
        const state = await publish(store, request, parts, {
          compression: settings.compression,
          fileBytes: settings.partBytes ?? GIB,
          follower,
        });
        await deriveReaders(store, identity.domain, identity.entity);
        return state;
      } finally {
        for (const { closed } of parts) await closed.discard();
        await store.clear(identity);
      }
    },
    isStaged: ({ path, bytes, receipt }) => store.holds(path, bytes, receipt as StagingReceipt),
    putNote: (identity, name, note) => putJson(store, notePath(identity, name), note),
    async notes(identity) {
      const notes = new Map<string, unknown>();
      for await (const { path } of store.list(runFolder(identity))) {
        const name = noteOfPath(path);
        const note = name === undefined ? undefined : await getJson(store, path);
        if (name !== undefined && note !== undefined) notes.set(name, note);
      }
      return notes;
    },
    discardRun: ({ domain, entity, run }) => discardRun(store, domain, entity, run),
    discard: (identity) => store.discard(identity, runFolder(identity)),
    retain: (domain, entity, rule) => retain(store, domain, entity, rule, new Date()),
    putDocument: (path, document) => putJson(store, path, document),
    getDocument: (path) => getJson(store, path),
    check: () => store.check(),
    close: () => store.close(),
  };
}

function putJson(store: ObjectStore, path: string, document: unknown): Promise<void> {
  return store.put(path, Buffer.from(`${JSON.stringify(document, undefined, 2)}\n`));
}

async function getJson(store: ObjectStore, path: string): Promise<unknown> {
  const found = await store.get(path);
  return found === undefined ? undefined : (JSON.parse(found.body.toString('utf8')) as unknown);
}
