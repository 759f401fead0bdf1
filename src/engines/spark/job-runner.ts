import type { ComportaError } from '../../errors';

/** A PySpark job, as every platform that runs such jobs takes it. Plain data and no secret. */
export interface SparkJob {
  /** Same for every attempt of the load, `[a-z][a-z0-9-]{0,50}`: a job's id is this and a number. */
  readonly id: string;
  /** For people and dashboards: pipeline, table, batch. */
  readonly labels: Readonly<Record<'pipeline' | 'table' | 'batch', string>>;
  /** Local path of the PySpark script. */
  readonly script: string;
  /** The command line of the job, for its n-th try, from 1: output of different tries never meets. */
  arguments(attempt: number): readonly string[];
}

/** The line back to whoever asked for the job. */
export interface JobWatch {
  /** The platform's own word for the state, and the tail of the driver's output where it is known. */
  report(progress: { readonly state: string; readonly output?: string }): void;
  /** Ends the wait; `shouldCancel(reason)` says whether the job itself is ended too. */
  readonly signal: AbortSignal;
  shouldCancel(reason: unknown): boolean;
}

/** A try that has ended. */
export interface JobOutcome {
  readonly attempt: number;
  /** Why it failed as its platform has it, with the tail of the driver's output. Absent: it succeeded. */
  readonly failure?: ComportaError;
}

/** Runs jobs on one platform. */
export interface JobRunner {
  /**
   * Resolves when a try has ended. One that already runs is attached to, one that has succeeded is
   * taken as it is, after a failed one the next number is submitted. One call submits at most one job.
   *
   * Throws ComportaError when the platform does not take the job or is not heard of any more; the
   * signal's reason when that ended the wait.
   */
  run(job: SparkJob, watch: JobWatch): Promise<JobOutcome>;
  close(): Promise<void>;
}
