import type { BigqueryTableSettings } from '../../pipeline/pipeline';
import type { BigqueryType } from './types';

type PartitionBy = NonNullable<BigqueryTableSettings['partitionBy']>;

/** A partition by the seconds since 1970 at which it begins; null holds the rows without a value. */
export type PartitionStart = number | null;

/** Beyond it one span from the first to the last: a statement may have 1 MB. */
const MOST_SPANS = 200;

interface Span {
  readonly from: number;
  readonly to: number;
}

/** An expression for where the partition of a column's value begins, as `PartitionStart`. */
export function partitionStartSql(
  column: string,
  type: BigqueryType,
  granularity: PartitionBy['granularity'],
): string {
  const unit = granularity.toUpperCase();
  switch (type) {
    case 'DATE':
      return `UNIX_DATE(DATE_TRUNC(${column}, ${unit})) * 86400`;
    case 'DATETIME':
      return `UNIX_SECONDS(TIMESTAMP(DATETIME_TRUNC(${column}, ${unit})))`;
    default:
      return `UNIX_SECONDS(TIMESTAMP_TRUNC(${column}, ${unit}))`;
  }
}

/**
 * A condition that holds for the rows of these partitions: comparisons of the column itself with
 * constants, by which BigQuery leaves out the others
 * (https://cloud.google.com/bigquery/docs/querying-partitioned-tables#use_a_constant_filter_expression).
 */
export function partitionFilter(
  column: string,
  type: BigqueryType,
  granularity: PartitionBy['granularity'],
  starts: readonly PartitionStart[],
): string {
  const numbers = starts.filter((start) => start !== null).sort((a, b) => a - b);
  const all = joined(numbers.map((from) => ({ from, to: nextStart(from, granularity) })));
  const [first, last] = [all[0], all.at(-1)];
  const spans = all.length > MOST_SPANS && first && last ? [{ ...last, from: first.from }] : all;
  const conditions = [
    ...spans.map(({ from, to }) => {
      const least = `${column} >= ${literal(type, from)}`;
      // BigQuery has no year 10000.
      return to >= END_OF_TIME ? least : `(${least} AND ${column} < ${literal(type, to)})`;
    }),
    ...(starts.includes(null) ? [`${column} IS NULL`] : []),
  ];
  return conditions.length === 0 ? 'FALSE' : `(${conditions.join(' OR ')})`;
}

const END_OF_TIME = Date.UTC(9999, 11, 31, 23, 59, 59) / 1000;

function joined(spans: readonly Span[]): readonly Span[] {
  const result: Span[] = [];
  for (const span of spans) {
    const last = result.at(-1);
    if (last !== undefined && span.from <= last.to) {
      result[result.length - 1] = { from: last.from, to: Math.max(last.to, span.to) };
    } else {
      result.push(span);
    }
  }
  return result;
}

function nextStart(start: number, granularity: PartitionBy['granularity']): number {
  const date = new Date(start * 1000);
  switch (granularity) {
    case 'hour':
      return start + 3_600;
    case 'day':
      return start + 86_400;
    case 'month':
      date.setUTCMonth(date.getUTCMonth() + 1);
      return date.getTime() / 1000;
    case 'year':
      date.setUTCFullYear(date.getUTCFullYear() + 1);
      return date.getTime() / 1000;
  }
}

function literal(type: BigqueryType, seconds: number): string {
  const [day = '', time = ''] = new Date(seconds * 1000).toISOString().split(/[TZ.]/);
  switch (type) {
    case 'DATE':
      return `DATE '${day}'`;
    case 'DATETIME':
      return `DATETIME '${day} ${time}'`;
    default:
      return `TIMESTAMP '${day} ${time}+00:00'`;
  }
}
