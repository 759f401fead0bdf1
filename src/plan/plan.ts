import type { LoadMode } from '../pipeline/pipeline';
import type { PlannedLoad } from '../workflows/api';
import type { Verdict } from '../detection/detection';

/**
 * The plan of one batch as it is written beside the lake (`_plans/<pipeline>/<batch>.json`): what
 * loads and why, what does not and the proof.
 */
export interface Plan {
  readonly pipeline: string;
  readonly batch: string;
  /** The planner's clock. */
  readonly plannedAt: string;
  readonly source: string;
  readonly destination: string;
  readonly concurrency: number;
  /** Longest first by the last duration, so that no long load starts last. */
  readonly loads: readonly (PlannedLoad & { readonly mode: LoadMode })[];
  readonly skips: readonly { readonly table: string; readonly decision: Verdict }[];
  /** Worth a person's look: patterns that match nothing, tables that vanished. */
  readonly warnings: readonly string[];
}

/** Where the plan lies, relative to the lake's root. */
export function planPath(pipeline: string, batch: string): string {
  return `_plans/${pipeline}/${batch}.json`;
}
