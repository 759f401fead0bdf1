import type { YamlFile } from './document';
import type { Partly } from './issues';
import { nearest, type Mistake, type Path } from './mistakes';
import { coversPattern } from './pattern';
import { DEFAULT_INCLUDE } from './defaults';
import { DESTINATION_TYPES, type Connection } from './pipeline';
import type { PipelineFile, TableSettingsInput } from './pipeline-schema';

/** `a, b or c`. */
const EITHER = new Intl.ListFormat('en-GB', { type: 'disjunction' });

/** One pipeline file as far as it holds to its schema. */
export interface PipelineDraft {
  readonly file: YamlFile;
  readonly input: Partly<PipelineFile>;
}

/** By name; undefined for one whose type could not be read. */
export type ConnectionDrafts = ReadonlyMap<string, Partly<Connection> | undefined>;

type Settings = Partly<TableSettingsInput>;

/** One place of a file that holds table settings. */
interface Place {
  readonly at: Path;
  readonly settings: Settings;
  /** Which tables it speaks of; absent for `defaults`. */
  readonly pattern?: string;
}

function places({ file, input }: PipelineDraft): readonly Place[] {
  const overrides = file.keys(['overrides']).map((pattern) => ({
    at: ['overrides', pattern],
    settings: input.overrides?.[pattern] ?? {},
    pattern,
  }));
  return [{ at: ['defaults'], settings: input.defaults ?? {} }, ...overrides];
}

/** Says what is wrong with the name of a connection, which must have one of these types. */
export function connectionMistake(
  file: YamlFile,
  at: Path,
  name: string | undefined,
  types: readonly Connection['type'][],
  connections: ConnectionDrafts,
): readonly Mistake[] {
  if (name === undefined) return [];
  if (!connections.has(name)) {
    const isProject = file.keys([]).includes('connections') && file.keys([]).includes('pipeline');
    const place = isProject ? 'this file' : 'connections.yaml';
    const names = [...connections.keys()];
    const meant = nearest(name, names);
    const all = names.length === 0 ? `${place} has none` : `there are ${names.join(', ')}`;
    const fix =
      meant === undefined ? `add it to ${place} (${all})` : `did you mean ${meant}? (${all})`;
    return [file.mistake(at, 'value', `connection ${name} is not in ${place}`, fix)];
  }
  const type = connections.get(name)?.type;
  if (type === undefined || types.includes(type)) return [];
  const able = [...connections].flatMap(([other, { type: its } = {}]) =>
    its !== undefined && types.includes(its) ? [other] : [],
  );
  const candidates = able.length === 0 ? 'there is none yet' : `such as ${able.join(', ')}`;
  return [
    file.mistake(
      at,
      'value',
      `connection ${name} is of type ${type}`,
      `name one of type ${EITHER.format(types)} (${candidates})`,
    ),
  ];
}

function connectionMistakes(
  { file, input }: PipelineDraft,
  connections: ConnectionDrafts,
): readonly Mistake[] {
  const source = input.source?.connection;
  const mistakes = [
    ...connectionMistake(
      file,
      ['source', 'connection'],
      source,
      ['mysql', 'postgres'],
      connections,
    ),
    ...connectionMistake(
      file,
      ['destination', 'connection'],
      input.destination?.connection,
      DESTINATION_TYPES,
      connections,
    ),
  ];
  for (const [index, channel] of (input.notify?.to ?? []).entries()) {
    mistakes.push(
      ...connectionMistake(file, ['notify', 'to', index], channel, ['slack', 'smtp'], connections),
    );
  }
  const isMysql = source !== undefined && connections.get(source)?.type === 'mysql';
  if (isMysql && input.source !== undefined && 'schemas' in input.source) {
    mistakes.push(
      file.mistake(
        ['source', 'schemas'],
        'key',
        `means nothing to MySQL, where connection ${source} names the database`,
        'remove it',
      ),
    );
  }
  return mistakes;
}

/** Something that cannot be without a cursor, and what an override says that does away with it. */
interface CursorUser {
  readonly at: Path;
  readonly what: string;
  endedBy(settings: Settings): boolean;
}

function cursorUsers({ mode, detection }: Settings): readonly CursorUser[] {
  const users: CursorUser[] = [];
  if (mode === 'incremental' || mode === 'append') {
    users.push({ at: ['mode'], what: `mode ${mode}`, endedBy: (later) => later.mode === 'full' });
  }
  if (detection?.strategy === 'cursor') {
    users.push({
      at: ['detection', 'strategy'],
      what: 'strategy cursor',
      endedBy: ({ detection: later }) =>
        later?.strategy !== undefined && later.strategy !== 'cursor',
    });
  }
  return users;
}

/** Whether every table that the pattern means surely ends with a cursor, or with no use for one. */
function isSettled(
  all: readonly Place[],
  user: CursorUser,
  from: number,
  pattern: string,
): boolean {
  return all.some(
    (place, index) =>
      (place.pattern === undefined || coversPattern(place.pattern, pattern)) &&
      ('cursor' in place.settings || (index > from && user.endedBy(place.settings))),
  );
}

function cursorMistakes(draft: PipelineDraft): readonly Mistake[] {
  const all = places(draft);
  const included = draft.input.tables?.include ?? DEFAULT_INCLUDE;
  return all.flatMap(({ at, settings, pattern }, index) => {
    const patterns =
      pattern === undefined ? included.filter((one) => one !== undefined) : [pattern];
    const where = pattern === undefined ? 'defaults' : 'this override';
    return cursorUsers(settings)
      .filter((user) => !patterns.every((one) => isSettled(all, user, index, one)))
      .map((user) =>
        draft.file.mistake(
          [...at, ...user.at],
          'value',
          `${user.what} needs a cursor`,
          `add \`cursor: { column: … }\` under ${where}`,
        ),
      );
  });
}

/** What surely holds for the tables of a place: what it and everything that covers it say, later ones winning. */
function settled(all: readonly Place[], { pattern = '*' }: Place): Settings {
  return all
    .filter((place) => place.pattern === undefined || coversPattern(place.pattern, pattern))
    .reduce<Settings>((sum, { settings }) => ({ ...sum, ...settings }), {});
}

const looksBack = ({ cursor }: Settings): boolean =>
  cursor?.lookBack !== undefined && cursor.lookBack !== 0 && cursor.lookBack !== '0s';

/** Without a key an append cannot tell the rows it has, and reads only what lies after the last value. */
function lookBackMistakes(draft: PipelineDraft): readonly Mistake[] {
  const all = places(draft);
  return all.flatMap((place) => {
    const { mode, key, ...rest } = settled(all, place);
    const speaks = 'cursor' in place.settings || 'mode' in place.settings;
    if (!speaks || mode !== 'append' || key !== undefined || !looksBack(rest)) return [];
    const at = looksBack(place.settings) ? ['cursor', 'lookBack'] : ['mode'];
    return [
      draft.file.mistake(
        [...place.at, ...at],
        'value',
        'mode append cannot look back without a key: it would add the same rows twice',
        'add `key: [ … ]`, by which rows that are there already are left out, or remove lookBack',
      ),
    ];
  });
}

/** Engines whose jobs run elsewhere, by the name of the connection that says where. */
const PLATFORM_ENGINES = ['dataproc', 'glue'] as const;

function platformMistakes(draft: PipelineDraft, connections: ConnectionDrafts): readonly Mistake[] {
  const all = places(draft);
  return all.flatMap((place) => {
    const { engine: word, platform } = settled(all, place);
    const engine = PLATFORM_ENGINES.find((one) => one === word);
    const speaks = 'engine' in place.settings || 'platform' in place.settings;
    if (!speaks || (engine === undefined && platform === undefined)) return [];
    const types = engine === undefined ? PLATFORM_ENGINES : [engine];
    if (platform !== undefined) {
      const at = [...place.at, 'platform' in place.settings ? 'platform' : 'engine'];
      const mistakes = connectionMistake(draft.file, at, platform, types, connections);
      const where = connections.get(platform);
      if (mistakes.length > 0 || engine === undefined || where === undefined) return mistakes;
      const lake = connections.get(draft.input.destination?.connection ?? '');
      if (lake?.type !== 'file' || 'endpoint' in where) return [];
      return [
        draft.file.mistake(
          at,
          'value',
          `a job of ${engine} cannot write to a lake in a folder`,
          'let `destination.connection` name a lake in a bucket',
        ),
      ];
    }
    if ('platform' in place.settings) return [];
    return [
      draft.file.mistake(
        [...place.at, 'engine'],
        'value',
        `engine ${engine} needs a platform`,
        `add \`platform:\` with the name of a ${engine} connection`,
      ),
    ];
  });
}

/** What is said of BigQuery means nothing to another destination. */
function bigqueryMistakes(draft: PipelineDraft, connections: ConnectionDrafts): readonly Mistake[] {
  const { file, input } = draft;
  const type = connections.get(input.destination?.connection ?? '')?.type;
  if (type === undefined || type === 'bigquery') return [];
  const said = places(draft).filter(({ settings }) => 'bigquery' in settings);
  return [
    ...said.map(({ at }) => [...at, 'bigquery']),
    ...('tablePrefix' in (input.destination ?? {}) ? [['destination', 'tablePrefix']] : []),
  ].map((at) =>
    file.mistake(
      at,
      'key',
      `means nothing to a destination of type ${type}`,
      'remove it, or name a bigquery connection in `destination.connection`',
    ),
  );
}

/** Columns that a table of BigQuery is arranged by, and where each is named. */
function arrangedBy({ bigquery }: Settings): readonly (readonly [Path, string | undefined])[] {
  const { partitionBy, clusterBy = [] } = bigquery ?? {};
  return [
    [['bigquery', 'partitionBy', 'column'], partitionBy?.column],
    ...clusterBy.map((column, index): readonly [Path, string | undefined] => [
      ['bigquery', 'clusterBy', index],
      column,
    ]),
  ];
}

function columnMistakes(draft: PipelineDraft): readonly Mistake[] {
  const everywhere = draft.input.defaults?.columns?.exclude ?? [];
  return places(draft).flatMap(({ at, settings }) => {
    const excluded = new Set([...everywhere, ...(settings.columns?.exclude ?? [])]);
    const masks = settings.columns?.mask ?? {};
    const key = settings.key ?? [];
    return [
      ...arrangedBy(settings).flatMap(([path, column]) =>
        column === undefined || !excluded.has(column)
          ? []
          : [
              draft.file.mistake(
                [...at, ...path],
                'value',
                'the column is excluded',
                'load the column, or arrange the table by another one',
              ),
            ],
      ),
      ...Object.keys(masks)
        .filter((column) => excluded.has(column))
        .map((column) =>
          draft.file.mistake(
            [...at, 'columns', 'mask', column],
            'key',
            'the column is excluded, so there is nothing to mask',
            'remove the mask or the exclusion',
          ),
        ),
      ...key.flatMap((column, index) => {
        if (column === undefined) return [];
        const place = (problem: string, fix: string) => [
          draft.file.mistake([...at, 'key', index], 'value', problem, fix),
        ];
        if (excluded.has(column))
          return place(
            'the key column is excluded',
            'load the column, masked if need be, or choose another key',
          );
        const method = masks[column]?.method;
        if (method !== 'partial' && method !== 'redact') return [];
        return place(
          `the key column is masked by ${method}, which makes different rows look the same`,
          'mask it by hmac or sha256',
        );
      }),
    ];
  });
}

/** Everything that is wrong with one pipeline beyond the form of its keys. */
export function pipelineMistakes(
  draft: PipelineDraft,
  connections: ConnectionDrafts | undefined,
): readonly Mistake[] {
  return [
    ...(connections === undefined
      ? []
      : [
          ...connectionMistakes(draft, connections),
          ...platformMistakes(draft, connections),
          ...bigqueryMistakes(draft, connections),
        ]),
    ...cursorMistakes(draft),
    ...lookBackMistakes(draft),
    ...columnMistakes(draft),
  ];
}
