import { messageOf } from '../errors';
import { NOTHING_TOLD, type Told } from './compose';
import type { Notice, Notifier } from './notice';

/** Small JSON documents, written atomically: the lake's. */
export interface Documents {
  putDocument(path: string, document: unknown): Promise<void>;
  getDocument(path: string): Promise<unknown>;
}

export interface DeliveryDependencies {
  readonly documents: Documents;
  /** By the connection's name. */
  readonly notifiers: ReadonlyMap<string, Notifier>;
  readonly warn: (message: string) => void;
}

/** How far one batch's notice is, per channel. What was begun and not ended is never begun again. */
interface Letter {
  readonly notice?: Notice;
  readonly told: Told;
  readonly channels: Readonly<Record<string, 'begun' | 'sent' | 'unknown'>>;
}

const letterPath = (pipeline: string, batch: string) => `_notices/${pipeline}/${batch}.json`;
const toldPath = (pipeline: string) => `_notices/${pipeline}.json`;

/** What people know so far of a pipeline. */
export async function readTold(documents: Documents, pipeline: string): Promise<Told> {
  return ((await documents.getDocument(toldPath(pipeline))) as Told | undefined) ?? NOTHING_TOLD;
}

/**
 * Tells every channel of a batch at most once, however often it is called and wherever it was
 * stopped: what to tell is written down before it is told, and so is each channel before its turn.
 * @param compose asked once per batch.
 * @throws the first channel's error, after the others had their turn; call it again.
 */
export async function deliver(
  { documents, notifiers, warn }: DeliveryDependencies,
  { pipeline, batch }: { readonly pipeline: string; readonly batch: string },
  compose: () => Promise<{ readonly notice?: Notice; readonly told: Told }>,
): Promise<void> {
  const path = letterPath(pipeline, batch);
  let letter = (await documents.getDocument(path)) as Letter | undefined;
  const write = async (next: Letter) => {
    await documents.putDocument(path, next);
    letter = next;
  };
  if (letter === undefined) await write({ ...(await compose()), channels: {} });
  const { notice, told } = letter!;
  const failures: unknown[] = [];
  for (const [name, notifier] of notice === undefined ? [] : notifiers) {
    const known = letter!.channels[name];
    if (known === 'begun') {
      warn(`whether ${name} was told of batch ${batch} is not known: it is not told again`);
    }
    if (known !== undefined) continue;
    const before = letter!;
    await write({ ...before, channels: { ...before.channels, [name]: 'begun' } });
    try {
      const delivery = await notifier.send(notice!);
      if (delivery === 'unknown') warn(`${name} did not answer: it may know of batch ${batch}`);
      await write({ ...before, channels: { ...before.channels, [name]: delivery } });
    } catch (error) {
      await write(before);
      warn(messageOf(error));
      failures.push(error);
    }
  }
  // What somebody was not told stays news for the next batch.
  if (failures.length > 0) throw failures[0] as Error;
  await documents.putDocument(toldPath(pipeline), told);
}
