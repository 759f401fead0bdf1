import type { FieldTable } from '../../../columnar/fields';
import type { Kernels } from '../../../columnar/kernels/kernels';
import type { Fixed32Vector, Fixed64Vector } from '../../../columnar/vectors';
import { ComportaError } from '../../../errors';
import type { PlannedColumn } from '../plan';
import { addressesOf, takeValues, wrongWidth, type FixedLoop } from './fixed';
import type { KernelContext } from './kernel';

const INT32_MAX = 0x7fff_ffff;
const INT32_MIN = -0x8000_0000;
const INT64_MAX = 0x7fff_ffff_ffff_ffffn;
const INT64_MIN = -0x8000_0000_0000_0000n;
const BEYOND = 'a moment beyond the range';

/** How moments of one kind are read. */
interface MomentLoops {
  readonly width: number;
  /** Answers zero when all is well. */
  readonly read: FixedLoop;
  /** Reads again, makes NULL of what does not fit and answers how many values are left. */
  readonly readLeft: Kernels['postgresDatesLeft'];
  /** Why a value does not fit; undefined for one that may. */
  readonly infinity: (view: DataView, start: number) => string | undefined;
}

/** The kernel for dates, as days since 1970. */
export function dateKernel(
  column: PlannedColumn,
  index: number,
  vector: Fixed32Vector,
  context: KernelContext,
): (fields: FieldTable) => void {
  const { kernels } = context.memory;
  return momentKernel(column, index, vector, context, {
    width: 4,
    read: kernels.postgresDates,
    readLeft: kernels.postgresDatesLeft,
    infinity(view, start) {
      const days = view.getInt32(start);
      return days === INT32_MAX ? 'infinity' : days === INT32_MIN ? '-infinity' : undefined;
    },
  });
}

/** The kernel for timestamps, as microseconds since 1970. */
export function timestampKernel(
  column: PlannedColumn,
  index: number,
  vector: Fixed64Vector,
  context: KernelContext,
): (fields: FieldTable) => void {
  const { kernels } = context.memory;
  return momentKernel(column, index, vector, context, {
    width: 8,
    read: kernels.postgresTimestamps,
    readLeft: kernels.postgresTimestampsLeft,
    infinity(view, start) {
      const micros = view.getBigInt64(start);
      return micros === INT64_MAX ? 'infinity' : micros === INT64_MIN ? '-infinity' : undefined;
    },
  });
}

function momentKernel(
  { spec, invalidDates }: PlannedColumn,
  index: number,
  vector: Fixed32Vector | Fixed64Vector,
  { memory, table, statistics }: KernelContext,
  { width, read, readLeft, infinity }: MomentLoops,
): (fields: FieldTable) => void {
  const { kernels } = memory;

  /** The error for the first of a column's values that does not fit. */
  function unfaithful(fields: FieldTable, values: number): ComportaError {
    const [bytes, starts, ends] = addressesOf(fields, index);
    let odd = 0;
    while (odd < values) {
      const place = 4 * odd;
      if (read(bytes, starts + place, ends + place, 1, vector.data.byteOffset) !== 0) break;
      odd += 1;
    }
    const value = infinity(fields.view, fields.starts[index]![odd]!) ?? BEYOND;
    return new ComportaError(
      'ValueUnfaithful',
      `column ${spec.name} (${spec.sourceType}) holds ${value}`,
      { table, remedy: 'set invalidDates to null or text' },
    );
  }

  return (fields) => {
    const values = takeValues(kernels, fields, index, vector);
    const [bytes, starts, ends] = addressesOf(fields, index);
    const data = vector.data.byteOffset;
    if (read(bytes, starts, ends, values, data) === 0) return;
    if (kernels.otherWidths(starts, ends, values, width) !== 0) throw wrongWidth(spec.name);
    if (invalidDates !== 'null') throw unfaithful(fields, values);
    const left = readLeft(bytes, starts, vector.valid.byteOffset, fields.rows, data);
    statistics.invalidValues += values - left;
    vector.filled(fields.rows, left);
  };
}
