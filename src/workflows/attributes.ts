import {
  defineSearchAttributeKey,
  type SearchAttributePair,
  type SearchAttributeUpdatePair,
  type TypedSearchAttributes,
} from '@temporalio/common';
import { SEARCH_ATTRIBUTES } from './api';

const PIPELINE = defineSearchAttributeKey(SEARCH_ATTRIBUTES.pipeline, 'KEYWORD');
const TABLE = defineSearchAttributeKey(SEARCH_ATTRIBUTES.table, 'KEYWORD');
const BATCH = defineSearchAttributeKey(SEARCH_ATTRIBUTES.batch, 'KEYWORD');
export const FAILURE = defineSearchAttributeKey(SEARCH_ATTRIBUTES.failure, 'KEYWORD');

/** Set by the server on what a schedule starts. */
export const SCHEDULED_START = defineSearchAttributeKey('TemporalScheduledStartTime', 'DATETIME');

/** What operators filter table loads by. */
export function ingestAttributes(load: {
  readonly pipeline: string;
  readonly table: string;
  readonly batch: string;
}): SearchAttributePair[] {
  return [...batchAttributes(load), { key: TABLE, value: load.table }];
}

/** What operators filter controllers by. */
export function batchAttributes(batch: {
  readonly pipeline: string;
  readonly batch: string;
}): SearchAttributePair[] {
  return [
    { key: PIPELINE, value: batch.pipeline },
    { key: BATCH, value: batch.batch },
  ];
}

/**
 * What a workflow that begins has to change of its attributes. The one that started it has set
 * them, as a rule. *Start Workflow Like This One* has set those of another execution, which may be
 * of another batch or have failed; people and schedules set none.
 */
export function corrections(
  present: TypedSearchAttributes,
  wanted: readonly SearchAttributePair[],
): SearchAttributeUpdatePair[] {
  const isFiled = wanted.every(({ key, value }) => present.get(key) === value);
  const hasFailure = present.get(FAILURE) !== undefined;
  return [...(isFiled ? [] : wanted), ...(hasFailure ? [{ key: FAILURE, value: null }] : [])];
}
