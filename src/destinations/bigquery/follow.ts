import type { TableMetadata } from '@google-cloud/bigquery';
import { ComportaError } from '../../errors';
import type { PublishRequest } from '../destination';
import { AS_TEXT } from './errors';
import { overtaken } from '../parquet/current-state';
import type { NextState, TableFollower } from '../parquet/follower';
import {
  changingState,
  claimantOf,
  digest,
  fenceOf,
  foreignTable,
  labelsOf,
  otherwisePartitioned,
  othersTable,
  settledState,
  stateOf,
} from './ownership';
import { partitionFilter, partitionStartSql, type PartitionStart } from './partitions';
import {
  mergeStatement,
  needsQuery,
  quoted,
  stagedRows,
  touchedPartitions,
  wrappedColumns,
} from './sql';
import {
  assertTable,
  partitionType,
  sameColumns,
  tableName,
  tableShape,
  type TableShape,
} from './table';
import type { JobConfiguration, Warehouse } from './warehouse';

export interface FollowOptions {
  /** How BigQuery names a path of the lake: `gs://bucket/prefix/raw/…`. */
  readonly uri: (path: string) => string;
  readonly tablePrefix: string;
}

const STAGING = 'comporta_staging_';
/** Longer than any publication takes. */
const STAGING_LIFE_MS = 24 * 60 * 60 * 1000;

/**
 * Keeps a table of BigQuery equal to the table in the lake. The files of the load are loaded into a
 * staging table, counted there, and swapped in by one job: a copy of the whole, a copy of what is new,
 * or a merge. Where the table is not known to be equal to the state that the load began from, the
 * whole state is loaded from the lake, whatever the load's mode: so it ends right, whichever step an
 * earlier publication did not come back from.
 *
 * Of two publications the one with the larger fence stays. Before the table is changed its labels say
 * by whom; who finds somebody else there uses up the id of the job by which that one would change it,
 * or waits for its end. As BigQuery gives an id once, nothing can change the table behind a newer
 * owner's back.
 */
export function createTableFollower(warehouse: Warehouse, options: FollowOptions): TableFollower {
  return {
    follow: async (next) => {
      const { identity, columns, bigquery } = next.request;
      assertTable(identity, columns, bigquery);
      const publication = new Publication(warehouse, options, next);
      try {
        await publication.run();
        return { bytesBilled: publication.bytesBilled };
      } finally {
        await publication.tidyUp();
      }
    },
  };
}

class Publication {
  bytesBilled = 0;
  private readonly request: PublishRequest;
  private readonly name: string;
  private readonly claim: string;
  private readonly staging: string;
  private readonly shape: TableShape;

  constructor(
    private readonly warehouse: Warehouse,
    private readonly options: FollowOptions,
    private readonly next: NextState,
  ) {
    const { identity, columns, tableComment: comment, bigquery: settings } = next.request;
    this.request = next.request;
    this.name = tableName(options.tablePrefix, identity.entity);
    const { domain, entity, run, attempt } = identity;
    // Ids of jobs are the project's: other datasets, and other lakes, may know the same run.
    const place = [warehouse.place(this.name), options.uri('')];
    this.claim = digest([place, domain, entity, run, attempt, next.request.fence]);
    this.staging = `${STAGING}${this.claim}`;
    this.shape = tableShape({ columns, comment, settings }, { staged: false });
  }

  async run(): Promise<void> {
    const { files, request } = this.next;
    const present = await this.warehouse.table(this.name);
    if (present !== undefined) this.assertUsable(present);
    const addition = this.additionTo(present);
    await this.load(addition ?? files);
    request.signal.throwIfAborted();
    await request.assertOwner();
    await this.claimTable(addition === undefined ? undefined : stateOf(present));
    await this.change(addition !== undefined);
    await this.settle();
  }

  async tidyUp(): Promise<void> {
    // It expires by itself, and the error that led here matters more.
    await this.warehouse.drop(this.staging).catch(() => undefined);
  }

  /** The files to add to the table as it is; undefined: it is to be replaced as a whole. */
  private additionTo(present: TableMetadata | undefined) {
    const { before, files } = this.next;
    const { mode } = this.request;
    if (mode === 'full' || present === undefined || before === undefined) return undefined;
    if (stateOf(present) !== settledState(before)) return undefined;
    if (!sameColumns(present.schema, this.shape.schema)) return undefined;
    if (mode === 'incremental') return this.request.files;
    const old = new Set(before.files.map(({ path }) => path));
    // An older file that is not there any more was written again, under other columns.
    const kept = files.filter(({ path }) => old.has(path)).length;
    return kept === old.size ? files.filter(({ path }) => !old.has(path)) : undefined;
  }

  /** One load job for all files, and the count of what it loaded. */
  private async load(files: readonly { readonly path: string; readonly rows: number }[]) {
    const { columns, tableComment: comment, bigquery: settings } = this.request;
    const { schema, ...rest } = tableShape({ columns, comment, settings }, { staged: true });
    await this.warehouse.create(this.staging, {
      ...rest,
      ...{ schema, labels: this.labels(changingState(this.claim)) },
      expirationTime: String(Date.now() + STAGING_LIFE_MS),
    });
    if (files.length > 0) {
      await this.warehouse.run(
        {
          id: `comporta_load_${this.claim}`,
          claim: this.claim,
          configuration: {
            load: {
              sourceUris: files.map(({ path }) => this.options.uri(path)),
              sourceFormat: 'PARQUET',
              ...{ schema, destinationTable: this.warehouse.reference(this.staging) },
              ...{ createDisposition: 'CREATE_NEVER', writeDisposition: 'WRITE_TRUNCATE' },
              ...layoutOf(rest),
            },
          },
        },
        this.request.signal,
      );
    }
    const expected = files.reduce((sum, { rows }) => sum + rows, 0);
    await this.assertCount(this.staging, expected, 'were loaded into BigQuery');
    await this.assertFit();
  }

  /**
   * What a load job makes of an unsigned number beyond INT64 is not documented. Where it takes the
   * bits for those of a signed one, the number is negative now, which no unsigned one is.
   */
  private async assertFit(): Promise<void> {
    const { columns, identity } = this.request;
    const query = wrappedColumns(this.warehouse.place(this.staging), columns);
    if (query === undefined) return;
    const { rows, bytesBilled } = await this.warehouse.rows(query);
    this.bytesBilled += bytesBilled;
    const wrapped = Object.entries(rows[0] ?? {}).flatMap(([name, is]) =>
      is === true ? name : [],
    );
    if (wrapped.length === 0) return;
    const { pipeline, table } = identity;
    const problem = `${wrapped.join(', ')}: a number above ${2n ** 63n - 1n}, which an INT64 of BigQuery cannot hold`;
    throw new ComportaError('ValueUnfaithful', problem, { pipeline, table, remedy: AS_TEXT });
  }

  private async assertCount(table: string, expected: number, what: string): Promise<void> {
    const found = await this.warehouse.count(table);
    if (found === expected) return;
    const { pipeline, table: id } = this.request.identity;
    throw new ComportaError('RowCountMismatch', `${found} rows ${what}, and not ${expected}`, {
      ...{ pipeline, table: id },
      remedy: 'the load is tried again, and replaces the whole table',
    });
  }

  /**
   * Writes into the table's labels who changes it, once nobody else can; makes it where it is missing.
   * @param state that it must have. Undefined: any.
   */
  private async claimTable(state: string | undefined): Promise<void> {
    const labels = this.labels(changingState(this.claim));
    for (;;) {
      this.request.signal.throwIfAborted();
      const present = await this.warehouse.table(this.name);
      if (present === undefined) {
        if (await this.warehouse.create(this.name, { ...this.shape, labels })) return;
        continue;
      }
      this.assertUsable(present);
      const other = claimantOf(present);
      if (other !== undefined && other !== this.claim) {
        await this.warehouse.useUp(swapId(other));
        await this.warehouse.drop(`${STAGING}${other}`);
      }
      if (state !== undefined && stateOf(present) !== state) {
        throw overtaken(this.request.identity, 'another load changed the table in BigQuery');
      }
      const { etag = '' } = present;
      const { clustering } = this.shape;
      const change = { etag, labels, ...(clustering === undefined ? {} : { clustering }) };
      if (await this.warehouse.change(this.name, change)) return;
    }
  }

  private labels(state: string): Record<string, string> {
    const { identity, fence, bigquery } = this.request;
    return { ...bigquery?.labels, ...labelsOf(identity, fence, state) };
  }

  /** Throws for a table that is not of this pipeline, is divided otherwise, or has a newer owner. */
  private assertUsable(present: TableMetadata): void {
    const { identity, fence } = this.request;
    const { pipeline, table } = identity;
    const place = `${this.warehouse.description}.${this.name}`;
    const refusal =
      foreignTable(present) ??
      othersTable(present, identity) ??
      otherwisePartitioned(present, this.shape);
    if (refusal !== undefined) {
      const { problem, remedy } = refusal;
      const details = { pipeline, table, remedy };
      throw new ComportaError('ConfigurationInvalid', `${place} ${problem}`, details);
    }
    if (fenceOf(present) > fence) {
      throw overtaken(identity, `${place} was changed by a newer owner`);
    }
  }

  /** The one job that readers notice. */
  private async change(isAddition: boolean): Promise<void> {
    const configuration = isAddition ? await this.addition() : this.replacement();
    // Whether a copy takes over when its source expires is not documented. From here on the claim in
    // the table's labels names the staging table to whoever clears up.
    await this.warehouse.expireAt(this.staging, undefined);
    const { bytesBilled } = await this.warehouse.run(
      { id: swapId(this.claim), claim: this.claim, configuration },
      this.request.signal,
    );
    await this.warehouse.expireAt(this.staging, Date.now() + STAGING_LIFE_MS);
    this.bytesBilled += bytesBilled;
  }

  private replacement(): JobConfiguration {
    return this.written('WRITE_TRUNCATE');
  }

  private async addition(): Promise<JobConfiguration> {
    if (this.request.mode === 'append') return this.written('WRITE_APPEND');
    const { columns, key } = this.request;
    const within = await this.touched();
    const query = mergeStatement(this.tables(), columns, key, within);
    return { query: { query, useLegacySql: false } };
  }

  private tables() {
    const { warehouse, name, staging } = this;
    return { target: warehouse.place(name), staging: warehouse.place(staging) };
  }

  /** A copy, which costs nothing; of columns that a load job cannot make, a query. */
  private written(writeDisposition: 'WRITE_TRUNCATE' | 'WRITE_APPEND'): JobConfiguration {
    const { warehouse, request, name, staging, shape } = this;
    const target = {
      destinationTable: warehouse.reference(name),
      ...{ createDisposition: 'CREATE_NEVER', writeDisposition },
    };
    if (!needsQuery(request.columns)) {
      return { copy: { sourceTable: warehouse.reference(staging), ...target } };
    }
    const query = stagedRows(warehouse.place(staging), request.columns);
    return { query: { query, useLegacySql: false, ...target, ...layoutOf(shape) } };
  }

  /** Which part of the table a merge may touch; undefined for a table without partitions. */
  private async touched(): Promise<string | undefined> {
    const { columns, key, bigquery } = this.request;
    const { partitionBy } = bigquery ?? {};
    const column = columns.find(({ name }) => name === partitionBy?.column);
    const type = column && partitionType(column);
    if (partitionBy === undefined || column === undefined || type === undefined) return undefined;
    const { granularity } = partitionBy;
    const startOf = (expression: string) => partitionStartSql(expression, type, granularity);
    const { rows, bytesBilled } = await this.warehouse.rows(
      touchedPartitions(this.tables(), key, startOf, column.name),
    );
    this.bytesBilled += bytesBilled;
    const starts = rows.map(({ start }): PartitionStart => (start === null ? null : Number(start)));
    return partitionFilter(`present.${quoted(column.name)}`, type, granularity, starts);
  }

  /** Says that the table is equal to the state that is published next, once that is so. */
  private async settle(): Promise<void> {
    const rows = this.next.files.reduce((sum, file) => sum + file.rows, 0);
    await this.assertCount(this.name, rows, 'are in the table in BigQuery');
    const present = await this.warehouse.table(this.name);
    if (present === undefined || claimantOf(present) !== this.claim) {
      throw overtaken(this.request.identity, 'another load changes the table in BigQuery');
    }
    const { run } = this.request.identity;
    const { description = '', schema } = this.shape;
    const settled = await this.warehouse.change(this.name, {
      etag: present.etag ?? '',
      ...{ description, schema },
      labels: this.labels(settledState({ run, publishedAt: this.next.publishedAt })),
    });
    if (!settled) {
      throw overtaken(this.request.identity, 'another load changes the table in BigQuery');
    }
  }
}

function layoutOf({ timePartitioning, clustering }: Omit<TableShape, 'schema' | 'description'>) {
  return {
    ...(timePartitioning === undefined ? {} : { timePartitioning }),
    ...(clustering === undefined ? {} : { clustering }),
  };
}

function swapId(claim: string): string {
  return `comporta_swap_${claim}`;
}
