import type { DetectionStrategy } from '../pipeline/pipeline';

/** The strategies that leave evidence behind; `auto` and `always` do not. */
export type EvidenceStrategy = Exclude<DetectionStrategy, 'auto' | 'always'>;

/**
 * What one strategy saw of one table at one moment. Compared with the evidence that the last
 * successful load saved, by inequality only: tokens have no order that holds on every server.
 */
export interface Evidence {
  readonly strategy: EvidenceStrategy;
  /** Which server said it, and since when it runs. A difference here makes `values` incomparable. */
  readonly identity: Readonly<Record<string, string | null>>;
  readonly values: Readonly<Record<string, string | null>>;
  /**
   * Why this evidence cannot prove that nothing changed: not settled, a replica, a view, no
   * permission, a NULL where a value is needed. Absent: it can.
   */
  readonly distrust?: string;
  /**
   * For `log` when its position moved: whether the part of the log between the previous position
   * and this one touches the table. Absent or unknown: the next evidence decides.
   */
  readonly touched?: 'yes' | 'no' | 'unknown';
  /**
   * For a log that some writers can go around (`SET sql_log_bin = 0`): who they are. Its word that
   * nothing changed then yields to weaker evidence that saw a change.
   */
  readonly blindTo?: string;
  /**
   * Keys of `values` that can move while no row does (statistics). They make a table load when
   * this evidence decides, but are not enough to contradict a log.
   */
  readonly hints?: readonly string[];
}

/** Everything seen of a table before its load, strongest evidence first. Saved by a successful load. */
export interface TableToken {
  /** The source's clock when the token was read, UTC, ISO 8601 with microseconds. */
  readonly sourceTime: string;
  readonly evidence: readonly Evidence[];
  /**
   * Fingerprint of the settings that shape what is loaded (columns, masks, filter, mode,
   * destination), so that an edited pipeline file loads the table again.
   */
  readonly settings?: string;
}

export type Verdict =
  | { readonly verdict: 'changed'; readonly reason: string }
  | { readonly verdict: 'unchanged'; readonly reason: string }
  /** Not known to be unchanged: loads. */
  | { readonly verdict: 'unknown'; readonly reason: string }
  /** Loads because somebody said so. */
  | { readonly verdict: 'forced'; readonly reason: string };
