import type { Source, TokenRequest } from './source';

/** Readings under way at the same time; what is asked meanwhile waits for the next one. */
const READINGS = 2;

/** Questions per reading: few, so that no load waits for many others. */
const LARGEST_READING = 16;

/**
 * Lets callers share readings: what is asked while others are being answered goes into one
 * reading. Each answer comes from a reading that began after its question. A question never shares
 * a reading with another of the same key; where a shared reading fails, each of its questions is
 * asked again alone, so that nobody gets another's error.
 */
export function gathered<Question, Answer>(
  keyOf: (question: Question) => string,
  read: (questions: readonly Question[]) => Promise<ReadonlyMap<string, Answer>>,
): (question: Question) => Promise<Answer | undefined> {
  interface Waiting {
    readonly question: Question;
    readonly resolve: (answer: Answer | undefined) => void;
    readonly reject: (error: unknown) => void;
  }
  let waiting: Waiting[] = [];
  let underWay = 0;

  const answer = async (group: readonly Waiting[]): Promise<void> => {
    try {
      const answers = await read(group.map(({ question }) => question));
      for (const { question, resolve } of group) resolve(answers.get(keyOf(question)));
    } catch (error) {
      if (group.length === 1) group[0]?.reject(error);
      else for (const one of group) await answer([one]);
    }
  };

  const takeGroup = (): Waiting[] => {
    const group = new Map<string, Waiting>();
    const left: Waiting[] = [];
    for (const one of waiting) {
      const key = keyOf(one.question);
      if (group.size < LARGEST_READING && !group.has(key)) group.set(key, one);
      else left.push(one);
    }
    waiting = left;
    return [...group.values()];
  };

  const begin = () => {
    while (underWay < READINGS && waiting.length > 0) {
      underWay += 1;
      void answer(takeGroup()).finally(() => {
        underWay -= 1;
        begin();
      });
    }
  };

  return (question) =>
    new Promise((resolve, reject) => {
      waiting.push({ question, resolve, reject });
      // A moment later, so that loads that begin together ask together.
      setImmediate(begin);
    });
}

/**
 * A source that answers loads which ask for their one table at the same time from one connection.
 * A plan's questions, and tokens that are read from the table's rows, go through as they are.
 */
export function gatheringSource(source: Source): Source {
  const findTable = gathered(
    (id: string) => id,
    async (ids) => new Map((await source.listTables(ids)).map((table) => [table.id, table])),
  );
  const readToken = gathered(
    ({ table }: TokenRequest) => table.id,
    (requests) => source.readTokens(requests),
  );
  return {
    ...source,
    async listTables(only) {
      const [id] = only ?? [];
      if (id === undefined || only?.length !== 1) return source.listTables(only);
      const table = await findTable(id);
      return table === undefined ? [] : [table];
    },
    async readTokens(requests) {
      const [request] = requests;
      if (request === undefined || requests.length > 1 || readsRows(request)) {
        return source.readTokens(requests);
      }
      const token = await readToken(request);
      return new Map(token === undefined ? [] : [[request.table.id, token]]);
    },
  };
}

function readsRows({ strategy }: TokenRequest): boolean {
  return strategy === 'cursor' || strategy === 'checksum';
}
