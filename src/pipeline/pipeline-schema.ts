import { z } from 'zod';
import * as defaults from './defaults';
import { ENGINES, PARTITION_GRANULARITIES } from './pipeline';
import { parseSize } from './size';
import {
  connectionName,
  cron,
  duration,
  name,
  optional,
  pattern,
  say,
  secret,
  section,
  text,
  timeZone,
  wholeNumber,
} from './values';

const CHUNK_SIZE = say(
  'must be a size of at least 64KiB, or off',
  'write a whole number and a unit (KiB, MiB, GiB), such as 256MiB',
);
const LEAST_CHUNK = parseSize('64KiB');

const chunkSize = () =>
  z
    .string({ error: CHUNK_SIZE })
    .regex(/^(?:off|\d{1,6}(?:KiB|MiB|GiB))$/, { error: CHUNK_SIZE, abort: true })
    .refine((size) => size === 'off' || parseSize(size) >= LEAST_CHUNK, { error: CHUNK_SIZE })
    .meta({ title: 'size, or off' });

const columnName = () => text('the name of a column', 'column');

const SHARE = say('must be a share from 0 to 1', 'write a number such as 0.5 for half of the rows');

const mask = z.discriminatedUnion('method', [
  section({
    method: z.literal('sha256').describe('Hex of SHA-256 over salt and value.'),
    salt: secret().describe('The salt.'),
  }),
  section({
    method: z.literal('hmac').describe('Hex of HMAC-SHA-256 of the value under a key.'),
    key: secret().describe(
      'The key. The same key gives the same mask in every table, so joins still work.',
    ),
  }),
  section({
    method: z.literal('partial').describe('Keeps the ends of the text; the rest becomes `*`.'),
    keepStart: optional(wholeNumber(0, 1_000), 'Characters kept at the start.', 0),
    keepEnd: optional(wholeNumber(0, 1_000), 'Characters kept at the end.', 0),
  }),
  section({
    method: z.literal('redact').describe('One fixed text for every value; NULL stays NULL.'),
    text: optional(text('a text'), 'What every value becomes.', defaults.DEFAULT_REDACTION),
  }),
]);

const cursor = section({
  column: columnName().describe(
    'A column that only grows: a creation or update time, or a number from a sequence.',
  ),
  lookBack: optional(
    z
      .union(
        [
          duration(),
          z.number().min(0, {
            error: say('must not be negative', 'write how far back to read again, as 0 or more'),
          }),
        ],
        {
          error: say(
            'must be a duration or a number',
            'write 1h for a time column, or 1000 for a number column',
          ),
        },
      )
      .meta({ title: 'duration or number' }),
    'How far before the last value seen to read again, for rows committed late: a duration for dates and times, a number of units for numbers.',
    defaults.DEFAULT_LOOK_BACK,
  ),
});

const columns = section({
  exclude: optional(
    z.array(columnName()),
    'Columns never read. They add up over defaults and overrides.',
  ),
  text: optional(
    z.array(columnName()),
    "Columns loaded as the database's own text form, whatever their type. They add up.",
  ),
  mask: optional(
    z.record(columnName(), mask),
    'By column, how its values are hidden before they reach the lake. A later mask of a column replaces an earlier one; a mask is never taken away.',
  ),
});

/** BigQuery, "Requirements for labels"; letters beyond ASCII, which it takes too, are left out. */
const LABEL_KEY = /^(?!comporta)[a-z][a-z0-9_-]{0,62}$/;
const LABEL_VALUE = /^[a-z0-9_-]{0,63}$/;

const labelValue = () => {
  const error = say(
    'is not the value of a label',
    'write lower-case letters, digits, hyphens or underscores, at most 63',
  );
  return z.string({ error }).regex(LABEL_VALUE, { error }).meta({ title: 'text' });
};

const CLUSTER_COLUMNS = say('must be a list of one to four columns', 'write [a] or [a, b]');

const bigquery = section({
  partitionBy: optional(
    section({
      column: columnName().describe('A column with dates or times.'),
      granularity: optional(
        z.enum(PARTITION_GRANULARITIES),
        'How much time a partition holds. A column of dates has none of an hour.',
        defaults.DEFAULT_GRANULARITY,
      ),
    }),
    'What divides the table, so that a query or a merge reads a part of it. BigQuery cannot change it later: the table must be dropped, and is made again by its next load.',
  ),
  clusterBy: optional(
    z
      .array(columnName(), { error: CLUSTER_COLUMNS })
      .min(1, { error: CLUSTER_COLUMNS })
      .max(4, { error: CLUSTER_COLUMNS }),
    'Columns that rows are sorted by, within partitions if there are any.',
  ),
  labels: optional(
    z.record(
      name(
        LABEL_KEY,
        'a lower-case letter, then lower-case letters, digits, hyphens or underscores, at most 63 in all; those that begin with comporta are its own',
      ),
      labelValue(),
    ),
    'Labels of the table. They add up over defaults and overrides.',
  ),
});

/** What can be said of tables. In `defaults` the published defaults hold; in `overrides` there are none. */
function tableSettings(published: typeof defaults.DEFAULT_SETTINGS | undefined) {
  return section({
    engine: optional(
      z.enum(ENGINES),
      'What moves the rows. embedded: the worker itself. spark: a job of the Spark on the machine of a worker with the role spark. dataproc, glue: a job on that platform, which `platform` names.',
      published?.engine,
    ),
    platform: optional(
      connectionName(),
      'With engine dataproc or glue: the connection of that type, where the jobs run.',
    ),
    mode: optional(
      z.enum(['full', 'incremental', 'append']),
      'full: the whole table replaces its previous state. incremental: rows from the cursor on are merged by key. append: rows after the cursor are added. The latter two need `cursor`.',
      published?.mode,
    ),
    detection: optional(
      section({
        strategy: optional(
          z.enum(['auto', 'log', 'token', 'cursor', 'checksum', 'always']),
          'How a change is noticed. auto takes the strongest that the server allows; always loads every time.',
          published?.detection.strategy,
        ),
        settleMargin: optional(
          duration({ minimum: '1s' }),
          "A change younger than this on the source's clock is not trusted as the last one: the table loads again next time.",
          published?.detection.settleMargin,
        ),
        maxSkipAge: optional(
          duration(),
          'Load anyway when the last load is older than this: the cover for changes that leave no trace.',
          published?.detection.maxSkipAge,
        ),
      }),
      'How the tables that changed are found.',
    ),
    cursor: optional(
      cursor,
      'The column that tells new rows from old ones. Replaced as a whole by an override.',
    ),
    key: optional(
      z.array(columnName()).min(1, {
        error: say(
          'is an empty list',
          'name at least one column, or leave `key` out for the primary key',
        ),
      }),
      'Columns that identify a row, for merging. Default: the primary key.',
    ),
    timeout: optional(
      duration({ minimum: '1s', maximum: '30d' }),
      'The longest that one attempt at a load may take.',
      published?.timeout,
    ),
    attempts: optional(
      wholeNumber(1, 100),
      'Attempts before the table is failed. Mistakes that another attempt cannot mend fail at once.',
      published?.attempts,
    ),
    columns: optional(columns, 'Columns to leave out, to load as text, or to mask.'),
    where: optional(
      text('a condition'),
      "A condition in the source's SQL; only rows that meet it are loaded. It is trusted as it stands: who can edit this file can run it.",
    ),
    invalidDates: optional(
      z.literal(['null', 'text', 'fail', null]).meta({ title: 'null, text or fail' }),
      'What becomes of dates that no calendar has, such as 0000-00-00. null: NULL, counted in the history. text: the column is loaded as text. fail: the table fails.',
      published?.invalidDates,
    ),
    onSchemaChange: optional(
      z.enum(['accept', 'fail']),
      'Columns added, dropped or retyped since the last load are recorded in the history either way; fail stops the load before a row is read.',
      published?.onSchemaChange,
    ),
    chunkSize: optional(
      chunkSize(),
      'A table of at least twice this size, by the database’s estimate, is loaded in chunks of about this size: several at a time, and after a failure only those that are missing. off: as one.',
      published?.chunkSize,
    ),
    guard: optional(
      section({
        maxDropShare: optional(
          z.number({ error: SHARE }).min(0, { error: SHARE }).max(1, { error: SHARE }),
          "The largest share of a table's rows that may vanish in one load without the source's own count confirming it.",
          published?.guard.maxDropShare,
        ),
      }),
      'What stops a load from emptying a table by accident.',
    ),
    bigquery: optional(bigquery, 'With a destination in BigQuery: what its table is like there.'),
  });
}

const schedule = section({
  cron: z
    .union(
      [
        cron(),
        z.array(cron()).min(1, { error: say('is an empty list', 'write at least one expression') }),
      ],
      {
        error: say('must be a cron expression or a list of them', 'write "0 3 * * *"'),
      },
    )
    .meta({
      title: 'cron expression, or a list',
      description:
        'When to run: minute, hour, day of month, month, day of week. Day of month and day of week must both match.',
    }),
  timeZone: optional(
    timeZone(),
    'The time zone of the expressions, an IANA name.',
    defaults.DEFAULT_SCHEDULE.timeZone,
  ),
  overlap: optional(
    z.enum(['skip', 'bufferOne', 'cancelOther', 'terminateOther', 'allowAll']),
    'What a due run does while the last one still runs.',
    defaults.DEFAULT_SCHEDULE.overlap,
  ),
  catchUp: optional(
    duration({ minimum: '10s', maximum: '365d' }),
    'How late a run missed during an outage may still start.',
    defaults.DEFAULT_SCHEDULE.catchUp,
  ),
  paused: optional(z.boolean(), 'Create the schedule paused.', defaults.DEFAULT_SCHEDULE.paused),
});

const patterns = () => z.array(pattern());

/** One pipeline file. */
export const pipelineFile = section({
  pipeline: name(
    /^[a-z][a-z0-9-]{0,62}$/,
    'a lower-case letter, then lower-case letters, digits or hyphens, at most 63 in all',
  ).describe('The name of the pipeline in commands, workflow ids and paths.'),
  description: optional(text('a text'), 'A sentence for people.'),
  domain: optional(
    name(
      /^[a-z0-9][a-z0-9_-]{0,62}$/,
      'lower-case letters, digits, hyphens or underscores, at most 63 in all, no underscore first',
    ),
    'The first folder under raw/. Default: the name of the pipeline.',
  ),
  source: section({
    connection: connectionName().describe('A mysql or postgres connection of connections.yaml.'),
    schemas: optional(
      z.array(text('the name of a schema', 'schema')).min(1, {
        error: say(
          'is an empty list',
          'name at least one schema, or leave `schemas` out for public',
        ),
      }),
      'PostgreSQL only: the schemas to look in.',
      [...defaults.DEFAULT_SCHEMAS],
    ),
  }).describe('The database to load from.'),
  tables: optional(
    section({
      include: optional(
        patterns().min(1, {
          error: say(
            'is an empty list, so no table would be loaded',
            'name tables, or write ["*"] for all',
          ),
        }),
        'Patterns of the tables to load.',
        [...defaults.DEFAULT_INCLUDE],
      ),
      exclude: optional(
        patterns(),
        'Patterns of the tables to leave out; they win over include.',
        [],
      ),
    }),
    'Which tables.',
  ),
  defaults: optional(tableSettings(defaults.DEFAULT_SETTINGS), 'What holds for every table.'),
  overrides: optional(
    z.record(pattern(), tableSettings(undefined)),
    'By pattern, what holds for the tables that match. All matching overrides apply from top to bottom; later ones win.',
  ),
  destination: section({
    connection: connectionName().describe(
      'A file, s3, gcs or bigquery connection of connections.yaml.',
    ),
    tablePrefix: optional(
      name(/^[A-Za-z0-9_]{1,64}$/, 'letters, digits or underscores, at most 64'),
      "With a bigquery connection: what the names of the pipeline's tables begin with there, so that pipelines may share a dataset.",
    ),
    compression: optional(
      z.enum(['zstd', 'snappy', 'none']),
      'Compression of the Parquet files.',
      defaults.DEFAULT_COMPRESSION,
    ),
    zstdLevel: optional(
      wholeNumber(1, 22),
      'How hard zstd tries. Level 3 takes up to half as much processor time again in compression, and makes long texts 7 % smaller, other tables hardly.',
      defaults.DEFAULT_ZSTD_LEVEL,
    ),
    retention: optional(
      section({
        runs: optional(
          wholeNumber(0, 10_000),
          'Loads kept per table besides the present one.',
          defaults.DEFAULT_RETENTION.runs,
        ),
        days: optional(
          wholeNumber(0, 36_500),
          'A load younger than this many days is kept whatever its number.',
          defaults.DEFAULT_RETENTION.days,
        ),
      }),
      'Which old loads stay.',
    ),
  }).describe('The lake to load into.'),
  schedule: optional(schedule, 'When to run. Without it the pipeline runs only when triggered.'),
  concurrency: optional(
    wholeNumber(1, 500),
    'Tables loaded at the same time.',
    defaults.DEFAULT_CONCURRENCY,
  ),
  notify: optional(
    section({
      to: z
        .array(connectionName())
        .min(1, { error: say('is an empty list', 'name a channel, or leave `notify` out') })
        .describe('slack and smtp connections of connections.yaml.'),
      freshness: optional(
        duration({ minimum: '1m' }),
        'Tell of a table that was neither loaded nor found unchanged for so long. Left out: of none.',
      ),
    }),
    'Who is told when tables fail, and when they are well again.',
  ),
}).meta({
  title: 'Comporta pipeline',
  description: 'One pipeline: which tables of a database are kept up to date in a lake, and how.',
});

export type PipelineFile = z.output<typeof pipelineFile>;
export type TableSettingsInput = NonNullable<PipelineFile['defaults']>;
export type MaskInput = z.output<typeof mask>;
