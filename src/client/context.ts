import type { Project } from '../pipeline/pipeline';
import type { Resources } from '../resources';
import type { TemporalClient } from '../temporal/connection';

/** Standard output or standard error, as the commands use them. */
export interface Output {
  write(text: string): void;
  readonly isTerminal: boolean;
  /** Width of the terminal; undefined elsewhere, where lines may have any length. */
  readonly columns: number | undefined;
  /** Height of the terminal. Default 24. */
  readonly rows?: number | undefined;
}

/** Ctrl-C while a command is waiting. */
export interface Interruption {
  readonly signal: AbortSignal;
  /** Gives Ctrl-C back its usual effect. */
  dispose(): void;
}

/** Everything that a command touches outside of itself. */
export interface CommandContext {
  /** Results only, so that it can be piped on. */
  readonly stdout: Output;
  /** Progress, hints and errors. */
  readonly stderr: Output;
  readonly environment: NodeJS.ProcessEnv;
  loadProject(directory: string): Promise<Project>;
  readonly resources: Resources;
  /**
   * Connects to Temporal; the command closes it.
   * @param profile of Temporal's configuration file; default: what the environment names.
   */
  openClient(profile?: string): Promise<TemporalClient>;
  now(): Date;
  /** From now on Ctrl-C aborts the signal instead of ending the process. */
  interruption(): Interruption;
}
