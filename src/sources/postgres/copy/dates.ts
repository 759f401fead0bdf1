import type { FieldTable } from '../../../columnar/fields';
import type { Fixed32Vector, Fixed64Vector } from '../../../columnar/vectors';
import { ComportaError } from '../../../errors';
import type { PlannedColumn } from '../plan';
import { takeValues, wrongWidth } from './fixed';
import type { KernelContext } from './kernel';

/** 1970-01-01 to 2000-01-01, where PostgreSQL's dates and timestamps begin. */
const EPOCH_DAYS = 10_957;
/** The same in microseconds, 946,684,800,000,000, as the halves of a 64-bit number. */
const EPOCH_HIGH = 0x0003_5d01;
const EPOCH_LOW = 0x3b37_e000;

const INT32_MAX = 0x7fff_ffff;
const INT32_MIN = -0x8000_0000;
const UINT32_MAX = 0xffff_ffff;
/** The last day and moment that fit when they are counted from 1970. */
const LAST_DAY = INT32_MAX - EPOCH_DAYS;
const LAST_HIGH = INT32_MAX - EPOCH_HIGH;
const LAST_LOW = UINT32_MAX - EPOCH_LOW;

/** Writes days since 1970; stops at one that does not fit. Answers whether all is well. */
function readDates(
  view: DataView,
  starts: Int32Array,
  ends: Int32Array,
  values: number,
  data: Int32Array,
): boolean {
  let wrong = 0;
  for (let i = 0; i < values; i++) {
    const start = starts[i]!;
    wrong |= (ends[i]! - start) ^ 4;
    const days = view.getInt32(start);
    if (days > LAST_DAY || days === INT32_MIN) return false;
    data[i] = days + EPOCH_DAYS;
  }
  return wrong === 0;
}

/** Why a date is none: infinity (src/include/datatype/timestamp.h), or too far. */
function oddDate(view: DataView, start: number): string | undefined {
  const days = view.getInt32(start);
  if (days === INT32_MAX) return 'infinity';
  if (days === INT32_MIN) return '-infinity';
  return days > LAST_DAY ? BEYOND : undefined;
}

/** Writes microseconds since 1970, low and high half; else as `readDates`. */
function readTimestamps(
  view: DataView,
  starts: Int32Array,
  ends: Int32Array,
  values: number,
  halves: Int32Array,
): boolean {
  let wrong = 0;
  for (let i = 0; i < values; i++) {
    const start = starts[i]!;
    wrong |= (ends[i]! - start) ^ 8;
    const high = view.getInt32(start);
    const low = view.getInt32(start + 4);
    if (high >= LAST_HIGH && (high > LAST_HIGH || low >>> 0 > LAST_LOW)) return false;
    if (high === INT32_MIN && low === 0) return false;
    const sum = (low + EPOCH_LOW) | 0;
    const carry = sum >>> 0 < EPOCH_LOW ? 1 : 0;
    halves[2 * i] = sum;
    halves[2 * i + 1] = high + EPOCH_HIGH + carry;
  }
  return wrong === 0;
}

function oddTimestamp(view: DataView, start: number): string | undefined {
  const high = view.getInt32(start);
  const low = view.getUint32(start + 4);
  if (high === INT32_MAX && low === UINT32_MAX) return 'infinity';
  if (high === INT32_MIN && low === 0) return '-infinity';
  return high > LAST_HIGH || (high === LAST_HIGH && low > LAST_LOW) ? BEYOND : undefined;
}

const BEYOND = 'a moment beyond the range';

/** The kernel for dates, as days since 1970. */
export function dateKernel(
  column: PlannedColumn,
  index: number,
  vector: Fixed32Vector,
  context: KernelContext,
): (fields: FieldTable) => void {
  const takeOut = removal(column, index, vector, context, 4, oddDate);
  return (fields) => {
    const starts = fields.starts[index]!;
    const ends = fields.ends[index]!;
    const values = takeValues(fields, index, vector);
    if (readDates(fields.view, starts, ends, values, vector.data)) return;
    readDates(fields.view, starts, ends, takeOut(fields), vector.data);
  };
}

/** The kernel for timestamps, as microseconds since 1970. */
export function timestampKernel(
  column: PlannedColumn,
  index: number,
  vector: Fixed64Vector,
  context: KernelContext,
): (fields: FieldTable) => void {
  const takeOut = removal(column, index, vector, context, 8, oddTimestamp);
  return (fields) => {
    const starts = fields.starts[index]!;
    const ends = fields.ends[index]!;
    const values = takeValues(fields, index, vector);
    if (readTimestamps(fields.view, starts, ends, values, vector.halves)) return;
    readTimestamps(fields.view, starts, ends, takeOut(fields), vector.halves);
  };
}

/**
 * Takes what is no date out of a column's values and makes it NULL, or throws for it; answers how
 * many values are left.
 */
function removal(
  { spec, invalidDates }: PlannedColumn,
  index: number,
  vector: Fixed32Vector | Fixed64Vector,
  { table, statistics }: KernelContext,
  width: number,
  odd: (view: DataView, start: number) => string | undefined,
): (fields: FieldTable) => number {
  const reject = (value: string) => {
    if (invalidDates === 'null') return void (statistics.invalidValues += 1);
    throw new ComportaError(
      'ValueUnfaithful',
      `column ${spec.name} (${spec.sourceType}) holds ${value}`,
      { table, remedy: 'set invalidDates to null or text' },
    );
  };
  return ({ rows, view, starts: all, ends: allEnds }) => {
    const starts = all[index]!;
    const ends = allEnds[index]!;
    let value = 0;
    let kept = 0;
    for (let row = 0; row < rows; row++) {
      if (vector.valid[row] === 0) continue;
      const start = starts[value]!;
      const end = ends[value]!;
      value += 1;
      if (end - start !== width) throw wrongWidth(spec.name);
      const problem = odd(view, start);
      if (problem === undefined) {
        starts[kept] = start;
        ends[kept] = end;
        kept += 1;
      } else {
        reject(problem);
        vector.valid[row] = 0;
      }
    }
    vector.filled(rows, kept);
    return kept;
  };
}
