import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { Session } from '../../../src/sources/mysql/connection';
import { lingeringSessions } from '../../../src/sources/mysql/lingering-sessions';

/** Sessions that are numbers, with what became of them. */
function numbered() {
  const events: string[] = [];
  let opened = 0;
  const open = () => {
    const tag = String(++opened);
    events.push(`open ${tag}`);
    const close = () => {
      events.push(`close ${tag}`);
      return Promise.resolve();
    };
    return Promise.resolve({ tag, close } as Session);
  };
  return { events, open };
}

const tagOf = (session: Session) => Promise.resolve(session.tag);

describe('lingering MySQL sessions', () => {
  it('serve operations that follow each other, and end when none comes', async () => {
    const { events, open } = numbered();
    const sessions = lingeringSessions(open, 20);
    assert.equal(await sessions.use(tagOf), '1');
    assert.equal(await sessions.use(tagOf), '1');
    await delay(60);
    assert.deepEqual(events, ['open 1', 'close 1']);
    assert.equal(await sessions.use(tagOf), '2');
    await sessions.close();
    assert.deepEqual(events, ['open 1', 'close 1', 'open 2', 'close 2']);
  });

  it('are never shared by two operations at once, and few wait', async () => {
    const { events, open } = numbered();
    const sessions = lingeringSessions(open, 10_000);
    const used = Promise.all(Array.from({ length: 5 }, () => sessions.use(tagOf)));
    assert.deepEqual(await used, ['1', '2', '3', '4', '5']);
    assert.deepEqual(events.slice(5), ['close 4', 'close 5']);
    await sessions.close();
    assert.deepEqual(events.slice(7), ['close 3', 'close 2', 'close 1']);
  });

  it('that fail an operation are replaced once, when they had served before', async () => {
    const { events, open } = numbered();
    const sessions = lingeringSessions(open, 10_000);
    await sessions.use(tagOf);
    const onSecondOnly = ({ tag }: Session) =>
      tag === '1' ? Promise.reject(new Error('gone')) : Promise.resolve(tag);
    assert.equal(await sessions.use(onSecondOnly), '2');
    assert.deepEqual(events, ['open 1', 'close 1', 'open 2']);
    const always = () => Promise.reject(new Error('always'));
    await assert.rejects(sessions.use(always), /always/);
    assert.deepEqual(events.slice(3), ['close 2', 'open 3', 'close 3']);
  });

  it('that are new fail their operation at once', async () => {
    const { events, open } = numbered();
    const sessions = lingeringSessions(open, 10_000);
    await assert.rejects(
      sessions.use(() => Promise.reject(new Error('refused'))),
      /refused/,
    );
    assert.deepEqual(events, ['open 1', 'close 1']);
  });

  it('do not linger once closed', async () => {
    const { events, open } = numbered();
    const sessions = lingeringSessions(open, 10_000);
    await sessions.close();
    await sessions.use(tagOf);
    assert.deepEqual(events, ['open 1', 'close 1']);
  });
});
