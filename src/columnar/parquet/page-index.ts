import type { LogicalType } from '../../types/logical';
import type { ColumnChunk, PageLocation, Statistics } from './format';
import { compareBounds } from './bound-order';
import { ThriftWriter } from './thrift';

/**
 * The page index, by which readers skip pages within a row group.
 * Source: parquet-format, PageIndex.md and parquet.thrift (OffsetIndex, ColumnIndex).
 */
export function offsetIndex({ pages }: ColumnChunk): Buffer {
  const out = new ThriftWriter();
  out.structList(1, pages, (page) => {
    out.i64(1, page.offset);
    out.i32(2, page.bytes);
    out.i64(3, page.firstRow);
  });
  return out.stop().bytes();
}

const BoundaryOrder = { unordered: 0, ascending: 1, descending: 2 } as const;
const NOTHING = new Uint8Array(0);

/**
 * Bounds and NULLs of each page; undefined when a page with values has no bounds, because then
 * there is nothing true to say of it.
 */
export function columnIndex({ pages }: ColumnChunk, type: LogicalType): Buffer | undefined {
  const isNull = pages.map(({ rows, statistics }) => statistics.nulls === rows);
  const isComplete = pages.every(({ statistics }, i) => isNull[i] || statistics.bounds);
  if (!isComplete) return undefined;
  const out = new ThriftWriter();
  out.booleanList(1, isNull);
  out.binaryList(
    2,
    pages.map(({ statistics }) => statistics.bounds?.min ?? NOTHING),
  );
  out.binaryList(
    3,
    pages.map(({ statistics }) => statistics.bounds?.max ?? NOTHING),
  );
  out.i32(4, boundaryOrder(pages, type));
  out.i64List(
    5,
    pages.map(({ statistics }) => statistics.nulls),
  );
  return out.stop().bytes();
}

/** Whether bounds rise or fall from page to page; pages of NULLs only have no say. */
function boundaryOrder(pages: readonly PageLocation[], type: LogicalType): number {
  const bounds = pages.flatMap(({ statistics }) => statistics.bounds ?? []);
  const isOrdered = (sign: 1 | -1) =>
    bounds.every((next, i) => {
      const previous = bounds[i - 1];
      return previous === undefined || isStep(previous, next, sign, type);
    });
  if (isOrdered(1)) return BoundaryOrder.ascending;
  return isOrdered(-1) ? BoundaryOrder.descending : BoundaryOrder.unordered;
}

type Bounds = NonNullable<Statistics['bounds']>;

function isStep(previous: Bounds, next: Bounds, sign: 1 | -1, type: LogicalType): boolean {
  return (
    sign * compareBounds(type, previous.min, next.min) <= 0 &&
    sign * compareBounds(type, previous.max, next.max) <= 0
  );
}
