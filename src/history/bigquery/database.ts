import { setTimeout as delay } from 'node:timers/promises';
import type { BigQuery } from '@google-cloud/bigquery';
import { bigqueryClient, isAbsent, makeDataset, type BigqueryPlace } from '../../google/bigquery';
import type { Migration } from '../migrations/migration';
import { pendingMigrations } from '../migrations/migration';
import { historyErrorOfBigquery } from './errors';

/** A row by the names of its columns; 64-bit integers are numbers. */
export type Row = Readonly<Record<string, unknown>>;

export interface Parameters {
  readonly values: Readonly<Record<string, string | number | readonly string[]>>;
  /** Of the arrays: one without elements does not say what it would hold. */
  readonly arrays?: readonly string[];
}

export interface BigqueryDatabase {
  /** For messages: `project.dataset`. */
  readonly description: string;
  /** A table of the dataset as statements name it. */
  place(table: string): string;
  /** All rows of one statement. Throws ComportaError. */
  rows(sql: string, parameters?: Parameters): Promise<readonly Row[]>;
  /**
   * Brings the dataset up to date, and makes it where it is missing, if the account may.
   * One that is up to date is only read. Throws ComportaError.
   */
  migrate(migrations: readonly Migration[]): Promise<void>;
}

/** The slowest here take some seconds. The client repeats what is lost before, under the same id. */
const QUERY_TIMEOUT_MS = 60_000;

const MAKING_PAUSES_MS = [200, 1_000];

/** Opens no connection: each statement is a request of its own. */
export function createDatabase(settings: BigqueryPlace): BigqueryDatabase {
  return new Database(settings);
}

class Database implements BigqueryDatabase {
  readonly description: string;
  private readonly client: BigQuery;

  constructor(private readonly settings: BigqueryPlace) {
    this.description = `${settings.project}.${settings.dataset}`;
    this.client = bigqueryClient(settings);
  }

  place(table: string): string {
    return `\`${this.description}.${table}\``;
  }

  async rows(sql: string, parameters: Parameters = { values: {} }): Promise<readonly Row[]> {
    try {
      return await this.run(sql, parameters);
    } catch (error) {
      throw historyErrorOfBigquery(error, this.description);
    }
  }

  async migrate(migrations: readonly Migration[]): Promise<void> {
    try {
      const version = await this.appliedVersion();
      const pending = pendingMigrations(migrations, version ?? 0, this.description);
      if (pending.length === 0) return;
      if (version === undefined) await makeDataset(this.client, this.settings.dataset);
      for (const { version: next, name, statements } of pending) {
        for (const statement of statements) await this.make(statement);
        await this.run(
          `INSERT INTO ${this.place('comporta_migration')} (version, name, applied_at)
            VALUES (@next, @name, CURRENT_TIMESTAMP())`,
          { values: { next, name } },
        );
      }
    } catch (error) {
      throw historyErrorOfBigquery(error, this.description);
    }
  }

  /** Undefined where there is no history. */
  private async appliedVersion(): Promise<number | undefined> {
    const sql = `SELECT MAX(version) AS version FROM ${this.place('comporta_migration')}`;
    try {
      const [row] = await this.run(sql);
      return Number(row?.['version'] ?? 0);
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  /**
   * A statement that may be repeated. Two processes that make the same thing at once can be in each
   * other's way; what fails for another reason fails again.
   */
  private async make(statement: string): Promise<void> {
    for (const pause of MAKING_PAUSES_MS) {
      try {
        await this.run(statement);
        return;
      } catch {
        await delay(pause * (0.5 + Math.random()));
      }
    }
    await this.run(statement);
  }

  private async run(sql: string, { values, arrays = [] }: Parameters = { values: {} }) {
    const [rows] = await this.client.query(
      {
        query: sql,
        params: values,
        types: Object.fromEntries(arrays.map((name) => [name, ['STRING']])),
        labels: { comporta: 'history' },
      },
      { timeoutMs: QUERY_TIMEOUT_MS },
    );
    return rows as readonly Row[];
  }
}
