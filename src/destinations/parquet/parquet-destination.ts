import type { DestinationSettings } from '../../pipeline/pipeline';
import type { Destination, RunIdentity } from '../destination';
import { listCurrent, publishedState, readCurrent } from './current-state';
import { publish } from './publish';
import { deriveReaders } from './readers';
import { retain } from './retain';
import { createStagingWriter, type PartOptions, type StagedPart } from './staging-writer';
import type { ObjectStore } from './storage';

export interface ParquetDestinationOptions
  extends Pick<DestinationSettings, 'compression'>, Omit<PartOptions, 'compression'> {}

const GIB = 1024 ** 3;

/** A lake of Parquet files on an object store, laid out as docs/lake.md describes. */
export function createParquetDestination(
  store: ObjectStore,
  settings: ParquetDestinationOptions,
): Destination {
  /** Finished and not yet published, by entity: only the latest attempt of each can be alive. */
  const finished = new Map<string, { identity: RunIdentity; parts: readonly StagedPart[] }>();

  const discard = async (identity: RunIdentity) => {
    const staged = finished.get(entityKey(identity));
    if (staged === undefined || !isSameAttempt(staged.identity, identity)) return;
    finished.delete(entityKey(identity));
    for (const part of staged.parts) await part.staged.discard();
    await store.clear(identity);
  };

  return {
    description: store.description,
    async published(domain, entity) {
      const current = await readCurrent(store, domain, entity);
      return current && publishedState(current.document);
    },
    publishedEntities: (domain) => listCurrent(store, domain),
    async stage(identity, columns) {
      const earlier = finished.get(entityKey(identity));
      if (earlier !== undefined) await discard(earlier.identity);
      return createStagingWriter(store, identity, columns, settings, (parts) => {
        finished.set(entityKey(identity), { identity, parts });
      });
    },
    async publish(request) {
      const { identity } = request;
      const staged = finished.get(entityKey(identity));
      const isOwn = staged !== undefined && isSameAttempt(staged.identity, identity);
      try {
        const state = await publish(store, request, isOwn ? staged.parts : [], {
          compression: settings.compression,
          fileBytes: settings.partBytes ?? GIB,
        });
        await deriveReaders(store, identity.domain, identity.entity);
        return state;
      } finally {
        await discard(identity);
      }
    },
    discard,
    retain: (domain, entity, rule) => retain(store, domain, entity, rule, new Date()),
    putDocument: (path, document) =>
      store.put(path, Buffer.from(`${JSON.stringify(document, undefined, 2)}\n`)),
    async getDocument(path) {
      const found = await store.get(path);
      return found === undefined ? undefined : (JSON.parse(found.body.toString('utf8')) as unknown);
    },
    check: () => store.check(),
    async close() {
      for (const { identity } of [...finished.values()]) await discard(identity);
      await store.close();
    },
  };
}

function entityKey({ domain, entity }: RunIdentity): string {
  return `${domain}/${entity}`;
}

function isSameAttempt(one: RunIdentity, other: RunIdentity): boolean {
  return one.run === other.run && one.attempt === other.attempt;
}
