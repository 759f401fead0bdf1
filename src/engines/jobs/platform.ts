import type { ComportaError } from '../../errors';
import type { SparkJob } from '../spark/job-runner';
import type { Patience } from './patience';

/** One try of a job, as its platform shows it at the moment. */
export interface PlatformTry {
  readonly attempt: number;
  /** The platform's own id of it, for calls and messages. */
  readonly id: string;
  /** The platform's own word. */
  readonly state: string;
  /** What the state means; `active` is everything that has not ended. */
  readonly outcome: 'active' | 'succeeded' | 'failed';
  /** What the platform says about the state. */
  readonly detail?: string;
  /** Where the driver's output lies, as `JobPlatform.output` understands it. */
  readonly outputAt?: string;
}

/**
 * Where jobs run, as single calls; `createPlatformRunner` makes a JobRunner of it. Every method
 * throws PassingTrouble where the same call may succeed later, ComportaError otherwise.
 */
export interface JobPlatform {
  /** The try with the highest number, whoever submitted it; undefined when there is none. */
  latest(job: SparkJob): Promise<PlatformTry | undefined>;
  /**
   * Resolves when what jobs need is there, having asked for it; absent where nothing is needed.
   * Called before a submission.
   */
  prepare?(job: SparkJob, patience: Patience): Promise<void>;
  /** Submits a try. A second submission of the same try gives what the first one became. */
  submit(job: SparkJob, attempt: number): Promise<PlatformTry>;
  look(attempt: PlatformTry): Promise<PlatformTry>;
  /** Asks for the end of a try; no error when it has ended. */
  cancel(attempt: PlatformTry): Promise<void>;
  /** The end of what the driver has printed; undefined where there is nothing yet. */
  output(attempt: PlatformTry): Promise<string | undefined>;
  /** Why a failed try failed. */
  failure(attempt: PlatformTry): ComportaError;
  close(): Promise<void>;
}

/** `waiting`: for a place among the jobs that may run at once, which may take as long as they do. */
export type Trouble = 'unavailable' | 'quota' | 'waiting';

/** A call failed for a reason that passes by itself. */
export class PassingTrouble extends Error {
  override readonly name = 'PassingTrouble';

  /** @param failure what is thrown when it has not passed in time. */
  constructor(
    readonly trouble: Trouble,
    readonly failure: ComportaError,
  ) {
    super(failure.message, { cause: failure });
  }
}
