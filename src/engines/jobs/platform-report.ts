import type { Finding } from '../../sources/source';

/** What a look at a platform has found, before any job. */
export interface PlatformReport {
  /** What is there, for the good news. */
  readonly checked: string;
  readonly findings: readonly Finding[];
}
