import assert from 'node:assert/strict';
import { gathered, gatheringSource } from '../../src/sources/gathering';
import type { TokenRequest } from '../../src/sources/source';
import { fakeSource, ID_COLUMN } from '../support/fake-source';

interface Reading {
  readonly questions: readonly string[];
  readonly end: (failure?: Error) => void;
}

/** A reading that ends when the test says so; the answer to a question names its reading. */
function controlled() {
  const readings: Reading[] = [];
  const ask = gathered(
    (question: string) => question.slice(0, 1),
    (questions) =>
      new Promise<ReadonlyMap<string, string>>((resolve, reject) => {
        const number = readings.length;
        const answers = new Map(questions.map((one) => [one.slice(0, 1), `${one}@${number}`]));
        const end = (failure?: Error) => (failure ? reject(failure) : resolve(answers));
        readings.push({ questions, end });
      }),
  );
  const asked = () => readings.map(({ questions }) => questions);
  return { ask, readings, asked };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('gathered readings', () => {
  it('answer together what is asked together', async () => {
    const { ask, readings, asked } = controlled();
    const answers = Promise.all([ask('a'), ask('b'), ask('c')]);
    await turn();
    readings[0]?.end();
    assert.deepEqual(await answers, ['a@0', 'b@0', 'c@0']);
    assert.deepEqual(asked(), [['a', 'b', 'c']]);
  });

  it('begin after every question that they answer', async () => {
    const { ask, readings, asked } = controlled();
    const early = [ask('a')];
    await turn();
    early.push(ask('b'));
    await turn();
    const late = [ask('c'), ask('d')];
    await turn();
    assert.deepEqual(asked(), [['a'], ['b']], 'two at a time');
    readings[1]?.end();
    await turn();
    assert.deepEqual(asked(), [['a'], ['b'], ['c', 'd']]);
    readings[0]?.end();
    readings[2]?.end();
    assert.deepEqual(await Promise.all([...early, ...late]), ['a@0', 'b@1', 'c@2', 'd@2']);
  });

  it('keep questions of one key apart', async () => {
    const { ask, readings, asked } = controlled();
    const answers = Promise.all([ask('a1'), ask('a2'), ask('b')]);
    await turn();
    assert.deepEqual(asked(), [['a1', 'b'], ['a2']]);
    for (const { end } of readings) end();
    assert.deepEqual(await answers, ['a1@0', 'a2@1', 'b@0']);
  });

  it('ask again alone after a failure, so that each gets its own', async () => {
    const { ask, readings, asked } = controlled();
    const answers = Promise.allSettled([ask('a'), ask('b')]);
    await turn();
    readings[0]?.end(new Error('of one of them'));
    await turn();
    readings[1]?.end(new Error('of a'));
    await turn();
    readings[2]?.end();
    assert.deepEqual(asked(), [['a', 'b'], ['a'], ['b']]);
    assert.deepEqual(await answers, [
      { status: 'rejected', reason: new Error('of a') },
      { status: 'fulfilled', value: 'b@2' },
    ]);
  });

  it('know an absent answer', async () => {
    const ask = gathered(
      (question: string) => question,
      () => Promise.resolve(new Map<string, string>()),
    );
    assert.equal(await ask('a'), undefined);
  });
});

describe('a source that gathers', () => {
  const names = ['a', 'b', 'c'];
  const open = () => {
    const tables = new Map(
      names.map((name) => [name, { ids: [], columns: [ID_COLUMN], token: name }]),
    );
    const plain = fakeSource(tables);
    const calls: string[] = [];
    const source = gatheringSource({
      ...plain,
      listTables: (only) => {
        calls.push(`list ${only?.join(' ') ?? 'all'}`);
        return plain.listTables(only);
      },
      readTokens: (requests) => {
        calls.push(`tokens ${requests.map(({ table }) => table.id).join(' ')}`);
        return plain.readTokens(requests);
      },
    });
    return { source, calls };
  };
  const request = (id: string, strategy: TokenRequest['strategy'] = 'auto'): TokenRequest => ({
    table: { id, schema: '', name: id, kind: 'table' },
    strategy,
    settleMarginMs: 0,
  });

  it('finds tables and reads tokens of loads together', async () => {
    const { source, calls } = open();
    const found = await Promise.all([...names, 'gone'].map((id) => source.listTables([id])));
    assert.deepEqual(
      found.map((tables) => tables.map(({ id }) => id)),
      [['a'], ['b'], ['c'], []],
    );
    const tokens = await Promise.all(names.map((id) => source.readTokens([request(id)])));
    assert.deepEqual(
      tokens.map((answer) => [...answer].map(([id, { evidence }]) => [id, evidence[0]?.values])),
      names.map((id) => [[id, { version: id }]]),
    );
    assert.deepEqual(calls, ['list a b c gone', 'tokens a b c']);
  });

  it('leaves plans alone, and tokens that cost a look at the rows', async () => {
    const { source, calls } = open();
    await source.listTables();
    await source.listTables(['a', 'b']);
    await source.readTokens([request('a'), request('b')]);
    await Promise.all([
      source.readTokens([request('a', 'checksum')]),
      source.readTokens([request('b', 'cursor')]),
    ]);
    assert.deepEqual(calls, ['list all', 'list a b', 'tokens a b', 'tokens a', 'tokens b']);
  });
});
