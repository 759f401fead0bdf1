/**
 * What operators watch and alert on, beside Temporal's own figures. Every name begins with
 * `comporta_`; docs/operating.md lists them. Recording never fails and never waits.
 */
export interface Metrics {
  loaded(load: LoadedTable): void;
  failed(load: FailedTable): void;
  planned(batch: PlannedBatch): void;
  /** Tables whose published state was seen to equal the source at some time. */
  verified(pipeline: string, tables: readonly VerifiedTable[]): void;
}

export interface LoadedTable {
  readonly pipeline: string;
  readonly engine: string;
  readonly rows: number;
  readonly bytes: number;
  readonly durationMs: number;
}

export interface FailedTable {
  readonly pipeline: string;
  /** The error's code, `PermissionDenied` for instance. */
  readonly code: string;
}

export interface PlannedBatch {
  readonly pipeline: string;
  readonly plannedAt: Date;
  readonly toLoad: number;
  readonly skipped: number;
  /** When the schedule meant the batch to begin; absent for one that somebody started. */
  readonly scheduledFor?: Date;
}

export interface VerifiedTable {
  readonly table: string;
  /** The load that published it began then, or a plan found it unchanged then. */
  readonly at: Date;
}

/** For processes that nobody scrapes. */
export const NO_METRICS: Metrics = {
  loaded: () => undefined,
  failed: () => undefined,
  planned: () => undefined,
  verified: () => undefined,
};
