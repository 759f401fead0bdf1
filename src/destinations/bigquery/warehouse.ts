import { setTimeout as delay } from 'node:timers/promises';
import type { BigQuery, Job, JobMetadata, TableMetadata } from '@google-cloud/bigquery';
import { ComportaError } from '../../errors';
import {
  bigqueryClient,
  isAbsent,
  isDuplicate,
  isOvertaken,
  makeDataset,
  type BigqueryPlace,
} from '../../google/bigquery';
import { destinationErrorOfBigquery } from './errors';

export type JobConfiguration = NonNullable<JobMetadata['configuration']>;

/** A job that happens once, whoever asks for it, and however often. */
export interface WarehouseJob {
  /** Letters, digits, hyphens and underscores; of a job that failed it is used up too. */
  readonly id: string;
  readonly configuration: JobConfiguration;
  /** Whose it is. A job of this id that has another label is not this one. */
  readonly claim: string;
}

/** What a job came to. */
export interface JobOutcome {
  /** 0 for anything but queries. */
  readonly bytesBilled: number;
}

/** A dataset of BigQuery. Every method throws ComportaError and nothing else. */
export interface Warehouse {
  /** For messages: `project.dataset`. */
  readonly description: string;
  /** A table as statements name it. */
  place(table: string): string;
  /** A table as jobs name it. */
  reference(table: string): { projectId: string; datasetId: string; tableId: string };
  /** Undefined when absent. */
  table(name: string): Promise<TableMetadata | undefined>;
  /** False when it is there already. Makes the dataset where it is missing, if the account may. */
  create(name: string, metadata: TableMetadata): Promise<boolean>;
  /** Changes what is given, on condition of the etag. False when the table has another one by now. */
  change(name: string, metadata: TableMetadata & { readonly etag: string }): Promise<boolean>;
  /** When a table goes by itself, in milliseconds since 1970; undefined: never. */
  expireAt(name: string, time: number | undefined): Promise<void>;
  /** Without effect on a table that is not there. */
  drop(name: string): Promise<void>;
  /**
   * Runs a job to its end, or attaches to it where it was begun before.
   * @throws ComportaError LeaseLost when the id belongs to another claim.
   */
  run(job: WarehouseJob, signal: AbortSignal): Promise<JobOutcome>;
  /** Takes care that no job of this id begins any more, and that one that did has ended. */
  useUp(id: string): Promise<void>;
  /** How many rows a table has, which costs nothing. */
  count(name: string): Promise<number>;
  /** The rows of a query that is repeated without harm, and what it cost. */
  rows(
    sql: string,
  ): Promise<JobOutcome & { readonly rows: readonly Readonly<Record<string, unknown>>[] }>;
  /** Makes the dataset where it is missing, and tells where it lies. */
  open(): Promise<{ readonly location: string }>;
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;
const CLAIM = 'comporta_claim';

/** What the client gives for what is there; its own types say nothing of it. */
type Answer<Metadata> = readonly [metadata: Metadata, ...rest: unknown[]];

interface DatasetMetadata {
  readonly location?: string;
}

export function createWarehouse(place: BigqueryPlace): Warehouse {
  const client = bigqueryClient(place);
  const { project, dataset } = place;
  const description = `${project}.${dataset}`;
  const table = (name: string) => client.dataset(dataset).table(name);

  const attempt = async <Result>(subject: string, body: () => Promise<Result>): Promise<Result> => {
    try {
      return await body();
    } catch (error) {
      throw destinationErrorOfBigquery(error, subject);
    }
  };
  const onTable = <Result>(name: string, body: () => Promise<Result>) =>
    attempt(`table ${description}.${name}`, body);

  return {
    description,
    place: (name) => `\`${description}.${name}\``,
    reference: (name) => ({ projectId: project, datasetId: dataset, tableId: name }),
    table: (name) =>
      onTable(name, () =>
        unlessAbsent(async () => {
          const [metadata] = (await table(name).getMetadata()) as Answer<TableMetadata>;
          return metadata;
        }),
      ),
    create: (name, metadata) =>
      onTable(name, () =>
        unless(isDuplicate, async () => {
          const make = () => client.dataset(dataset).createTable(name, metadata);
          await make().catch(async (error: unknown) => {
            if (!isAbsent(error)) throw error;
            await makeDataset(client, dataset);
            await make();
          });
        }),
      ),
    change: (name, metadata) =>
      onTable(name, () =>
        unless(isOvertaken, async () => {
          await table(name).setMetadata(metadata);
        }),
      ),
    expireAt: (name, time) =>
      onTable(name, async () => {
        // The client's type knows no null, by which the service takes a property away.
        const expirationTime = (time === undefined ? null : String(time)) as string;
        await table(name).setMetadata({ expirationTime });
      }),
    drop: (name) =>
      onTable(name, async () => {
        await table(name).delete({ ignoreNotFound: true });
      }),
    run: (job, signal) =>
      attempt(`job ${job.id} in ${description}`, () => runJob(client, job, signal)),
    useUp: (id) => attempt(`job ${id} in ${description}`, () => useUp(client, id)),
    count: (name) =>
      onTable(name, async () => {
        const query = `SELECT COUNT(*) AS found FROM \`${description}.${name}\``;
        const [rows] = await client.query({ query, labels: { [CLAIM]: 'count' } });
        return Number((rows as readonly { readonly found: unknown }[])[0]?.found);
      }),
    rows: (sql) =>
      attempt(`a query in ${description}`, async () => {
        const configuration = { query: { query: sql, useLegacySql: false } };
        const [job] = await client.createJob({ configuration: labelled(configuration, 'query') });
        const { bytesBilled } = outcomeOf(await ended(job));
        const [rows] = await job.getQueryResults();
        return { rows: rows as Readonly<Record<string, unknown>>[], bytesBilled };
      }),
    open: () =>
      attempt(`dataset ${description}`, async () => {
        await makeDataset(client, dataset);
        const [metadata] = (await client.dataset(dataset).getMetadata()) as Answer<DatasetMetadata>;
        return { location: metadata.location ?? '' };
      }),
  };
}

async function unlessAbsent<Result>(body: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await body();
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** False when it throws that. */
async function unless(
  isThat: (thrown: unknown) => boolean,
  body: () => Promise<void>,
): Promise<boolean> {
  try {
    await body();
    return true;
  } catch (error) {
    if (isThat(error)) return false;
    throw error;
  }
}

function labelled(configuration: JobConfiguration, claim: string): JobConfiguration {
  return { ...configuration, labels: { [CLAIM]: claim } };
}

async function runJob(
  client: BigQuery,
  { id, configuration, claim }: WarehouseJob,
  signal: AbortSignal,
): Promise<JobOutcome> {
  signal.throwIfAborted();
  const job = await submitted(client, id, labelled(configuration, claim));
  const end = await ended(job, signal);
  if (end.configuration?.labels?.[CLAIM] === claim) return outcomeOf(end);
  throw new ComportaError('LeaseLost', `job ${id} was used up by a newer owner of the table`);
}

/** A job whose id was given before is there already: whether by this process makes no difference. */
async function submitted(
  client: BigQuery,
  id: string,
  configuration: JobConfiguration,
): Promise<Job> {
  try {
    const [job] = await client.createJob({ configuration, jobId: id });
    return job;
  } catch (error) {
    // Also a job that failed before its answer came.
    if (isDuplicate(error)) return client.job(id, locationOf(client));
    throw error;
  }
}

function locationOf({ location }: BigQuery): { location?: string } {
  return location === undefined ? {} : { location };
}

/** Waits for the end of a job; gives it up when the signal says so. */
async function ended(job: Job, signal?: AbortSignal): Promise<JobMetadata> {
  try {
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      const [metadata] = (await job.getMetadata()) as Answer<JobMetadata>;
      if (metadata.status?.state === 'DONE') return metadata;
      await delay(pause, undefined, signal === undefined ? {} : { signal });
    }
  } catch (error) {
    if (signal?.aborted !== true) throw error;
    // It may be over already; what it wrote is of this attempt alone, or is seen by the next one.
    await job.cancel().catch(() => undefined);
    throw signal.reason;
  }
}

/** Throws as the client does where a job failed. */
function outcomeOf({ status, statistics }: JobMetadata): JobOutcome {
  const error = status?.errorResult;
  if (error !== undefined) {
    throw Object.assign(new Error(error.message), { errors: [error] });
  }
  return { bytesBilled: Number(statistics?.query?.totalBytesBilled ?? 0) };
}

/** A query of nothing takes the id, or finds that a job has it, and then waits for its end. */
async function useUp(client: BigQuery, id: string): Promise<void> {
  const nothing: JobConfiguration = { query: { query: 'SELECT 1', useLegacySql: false } };
  await ended(await submitted(client, id, labelled(nothing, 'closed')));
}
