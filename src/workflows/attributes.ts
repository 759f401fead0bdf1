import { defineSearchAttributeKey, type SearchAttributePair } from '@temporalio/common';
import { SEARCH_ATTRIBUTES } from './api';

const PIPELINE = defineSearchAttributeKey(SEARCH_ATTRIBUTES.pipeline, 'KEYWORD');
export const TABLE = defineSearchAttributeKey(SEARCH_ATTRIBUTES.table, 'KEYWORD');
export const BATCH = defineSearchAttributeKey(SEARCH_ATTRIBUTES.batch, 'KEYWORD');
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
