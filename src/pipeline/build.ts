import * as defaults from './defaults';
import { defined } from './defined';
import { parseDuration } from './duration';
import { parseSize } from './size';
import type { MaskInput, PipelineFile, TableSettingsInput } from './pipeline-schema';
import type {
  Mask,
  Pipeline,
  ScheduleSettings,
  TableSettings,
  TableSettingsChange,
} from './pipeline';
import { secretReference } from './secrets';
import { layOver } from './settings';

const NOTHING_SAID: Pick<TableSettings, 'excludeColumns' | 'textColumns' | 'masks'> = {
  excludeColumns: [],
  textColumns: [],
  masks: {},
};

const milliseconds = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : parseDuration(text);

const parseChunkSize = (text: string): number | 'off' => (text === 'off' ? text : parseSize(text));

function buildMask(input: MaskInput, directory: string): Mask {
  switch (input.method) {
    case 'sha256':
      return { method: input.method, salt: secretReference(input.salt, directory) };
    case 'hmac':
      return { method: input.method, key: secretReference(input.key, directory) };
    case 'partial':
      return { method: input.method, keepStart: input.keepStart ?? 0, keepEnd: input.keepEnd ?? 0 };
    case 'redact':
      return { method: input.method, text: input.text ?? defaults.DEFAULT_REDACTION };
  }
}

function buildMasks(
  input: Readonly<Record<string, MaskInput>> | undefined,
  directory: string,
): Readonly<Record<string, Mask>> | undefined {
  if (input === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(input).map(([column, mask]) => [column, buildMask(mask, directory)]),
  );
}

function buildCursor({ cursor }: TableSettingsInput): TableSettings['cursor'] {
  if (cursor === undefined) return undefined;
  const lookBack = cursor.lookBack ?? defaults.DEFAULT_LOOK_BACK;
  return {
    column: cursor.column,
    lookBack: typeof lookBack === 'number' ? lookBack : parseDuration(lookBack),
  };
}

function buildBigquery(input: TableSettingsInput['bigquery']): TableSettings['bigquery'] {
  if (input === undefined) return undefined;
  const { partitionBy } = input;
  return defined({
    partitionBy: partitionBy && {
      column: partitionBy.column,
      granularity: partitionBy.granularity ?? defaults.DEFAULT_GRANULARITY,
    },
    clusterBy: input.clusterBy,
    labels: input.labels,
  });
}

function buildChange(input: TableSettingsInput, directory: string): TableSettingsChange {
  const detection = input.detection && {
    strategy: input.detection.strategy,
    settleMarginMs: milliseconds(input.detection.settleMargin),
    maxSkipAgeMs: milliseconds(input.detection.maxSkipAge),
  };
  return defined({
    engine: input.engine,
    platform: input.platform,
    mode: input.mode,
    detection: detection && defined(detection),
    cursor: buildCursor(input),
    key: input.key,
    timeoutMs: milliseconds(input.timeout),
    maximumAttempts: input.attempts,
    excludeColumns: input.columns?.exclude,
    textColumns: input.columns?.text,
    masks: buildMasks(input.columns?.mask, directory),
    where: input.where,
    // YAML's own null and the word mean the same; a key left out is undefined.
    invalidDates: input.invalidDates === null ? 'null' : input.invalidDates,
    onSchemaChange: input.onSchemaChange,
    chunkBytes: input.chunkSize === undefined ? undefined : parseChunkSize(input.chunkSize),
    guard: input.guard && defined(input.guard),
    bigquery: buildBigquery(input.bigquery),
  });
}

function builtInSettings(): TableSettings {
  const { detection, timeout, attempts, chunkSize, ...rest } = defaults.DEFAULT_SETTINGS;
  return {
    ...NOTHING_SAID,
    ...rest,
    detection: {
      strategy: detection.strategy,
      settleMarginMs: parseDuration(detection.settleMargin),
      maxSkipAgeMs: parseDuration(detection.maxSkipAge),
    },
    timeoutMs: parseDuration(timeout),
    maximumAttempts: attempts,
    chunkBytes: parseChunkSize(chunkSize),
  };
}

function buildSchedule(input: PipelineFile['schedule']): ScheduleSettings | undefined {
  if (input === undefined) return undefined;
  const { cron, catchUp, ...rest } = { ...defaults.DEFAULT_SCHEDULE, ...input };
  return {
    ...rest,
    cron: typeof cron === 'string' ? [cron] : cron,
    catchUpMs: parseDuration(catchUp),
  };
}

/** What a pipeline is made from besides its own keys. */
export interface BuildContext {
  readonly file: string;
  /** Absolute; secret files are relative to it. */
  readonly directory: string;
  readonly sourceType: 'mysql' | 'postgres';
  /** The overrides' patterns in the order of the file, which a plain object does not keep. */
  readonly overrideOrder: readonly string[];
}

/** Turns a valid file into the pipeline it describes, with every default filled in. */
export function buildPipeline(input: PipelineFile, context: BuildContext): Pipeline {
  const { directory } = context;
  const overrides = context.overrideOrder.map((pattern) => ({
    pattern,
    settings: buildChange(input.overrides?.[pattern] ?? {}, directory),
  }));
  return defined({
    name: input.pipeline,
    description: input.description,
    file: context.file,
    domain: input.domain ?? input.pipeline,
    source: {
      connection: input.source.connection,
      schemas:
        context.sourceType === 'mysql' ? [] : (input.source.schemas ?? defaults.DEFAULT_SCHEMAS),
    },
    tables: {
      include: input.tables?.include ?? defaults.DEFAULT_INCLUDE,
      exclude: input.tables?.exclude ?? [],
    },
    defaults: layOver(builtInSettings(), buildChange(input.defaults ?? {}, directory)),
    overrides,
    destination: {
      type: 'parquet',
      connection: input.destination.connection,
      ...(input.destination.tablePrefix === undefined
        ? {}
        : { tablePrefix: input.destination.tablePrefix }),
      compression: input.destination.compression ?? defaults.DEFAULT_COMPRESSION,
      zstdLevel: input.destination.zstdLevel ?? defaults.DEFAULT_ZSTD_LEVEL,
      retention: { ...defaults.DEFAULT_RETENTION, ...input.destination.retention },
    },
    schedule: buildSchedule(input.schedule),
    concurrency: input.concurrency ?? defaults.DEFAULT_CONCURRENCY,
    notify:
      input.notify &&
      defined({ to: input.notify.to, freshnessMs: milliseconds(input.notify.freshness) }),
  });
}
