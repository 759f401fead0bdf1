import { createHash } from 'node:crypto';
import type { TableMetadata } from '@google-cloud/bigquery';
import { partitioningText } from './table';

/**
 * What a table's labels say of it. A table is `changing` from the moment at which a publication may
 * change it until that is known to have ended well.
 */
const LABEL = {
  pipeline: 'comporta_pipeline',
  /** Which table of the lake: two may want the same name. */
  table: 'comporta_table',
  /** The largest of an owner that has changed it. */
  fence: 'comporta_fence',
  /** The state of the lake that it is equal to, or who changes it. */
  state: 'comporta_state',
} as const;

const CHANGING = 'changing_';

/** A table of a pipeline, by its names in the lake. */
export interface LakeTable {
  readonly pipeline: string;
  readonly domain: string;
  readonly entity: string;
}

/** Whose a table of BigQuery is: a publication leaves all others alone. */
export function ownerLabels(table: LakeTable): Record<string, string> {
  return {
    [LABEL.pipeline]: table.pipeline,
    [LABEL.table]: digest([table.domain, table.entity]),
  };
}

/** @param state by `settledState` or `changingState`. */
export function labelsOf(table: LakeTable, fence: number, state: string): Record<string, string> {
  return { ...ownerLabels(table), [LABEL.fence]: String(fence), [LABEL.state]: state };
}

/** Undefined for a table that no publication has touched. */
export function stateOf({ labels }: TableMetadata = {}): string | undefined {
  return labels?.[LABEL.state];
}

/** The largest fence of an owner that has changed the table; 0 where there was none. */
export function fenceOf({ labels }: TableMetadata): number {
  return Number(labels?.[LABEL.fence] ?? 0);
}

/** The table is equal to this state of the lake. */
export function settledState(state: { readonly run: string; readonly publishedAt: string }) {
  return digest([state.run, state.publishedAt]);
}

/** The table is being changed, or was by somebody who did not come back. */
export function changingState(claim: string): string {
  return `${CHANGING}${claim}`;
}

/** Who changes the table, or did not come back from changing it. */
export function claimantOf(table: TableMetadata): string | undefined {
  const state = stateOf(table);
  return state?.startsWith(CHANGING) === true ? state.slice(CHANGING.length) : undefined;
}

/** Why a pipeline may not replace a table, and what to do. */
export interface Refusal {
  readonly problem: string;
  readonly remedy: string;
}

/**
 * A table that another pipeline, or another table of this one, has made. One without labels, which
 * Comporta has not made, is nobody's.
 */
export function othersTable(table: TableMetadata, wanted: LakeTable): Refusal | undefined {
  const owner = table.labels?.[LABEL.pipeline];
  if (owner === undefined) return undefined;
  if (owner !== wanted.pipeline) {
    return { problem: `is of the pipeline ${owner}`, remedy: OTHER_NAME };
  }
  if (table.labels?.[LABEL.table] === ownerLabels(wanted)[LABEL.table]) return undefined;
  return {
    problem: 'holds another table of the pipeline, whose name is the same in BigQuery',
    remedy: 'leave one of the two out, or load them by pipelines with a tablePrefix of their own',
  };
}

/** A table that Comporta has not made. */
export function foreignTable(table: TableMetadata): Refusal | undefined {
  return table.labels?.[LABEL.pipeline] === undefined
    ? { problem: 'is not made by Comporta', remedy: OTHER_NAME }
    : undefined;
}

/** BigQuery cannot divide a table that is there in another way. */
export function otherwisePartitioned(
  table: TableMetadata,
  wanted: Pick<TableMetadata, 'timePartitioning'>,
): Refusal | undefined {
  const [is, says] = [partitioningText(table), partitioningText(wanted)];
  if (is === says) return undefined;
  return {
    problem: `is partitioned ${is}, and the settings say ${says}`,
    remedy: 'drop the table, and its next load makes it anew; or put the settings back',
  };
}

const OTHER_NAME = 'drop or rename it, or give the pipeline a tablePrefix or a dataset of its own';

/** What labels and ids of jobs may be made of. */
export function digest(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}
