import type { Allocator } from '../../../columnar/allocator';
import { unscaledDecimal, WIDE_DECIMAL_BYTES } from '../../../columnar/decode/decimals';
import { createTextDecoder } from '../../../columnar/decode/text-decoder';
import type { FieldTable } from '../../../columnar/fields';
import type {
  BytesVector,
  DoubleVector,
  Fixed32Vector,
  Fixed64Vector,
  FloatVector,
  Vector,
} from '../../../columnar/vectors';
import { ComportaError } from '../../../errors';
import type { Masker } from '../../../pipeline/mask';
import type { ReadStatistics } from '../../source';
import type { PlannedColumn } from '../plan';
import { bytesBetween, readBits, skipSrids } from './kernels/bytes';
import { readDecimals, readWideDecimals } from './kernels/decimals';
import { closeUpNulls, dropValues } from './kernels/nulls';
import {
  readDouble,
  readFloat,
  readInt16,
  readInt32,
  readInt64,
  readInt8,
  readUint16,
  readUint8,
  type NumberKernel,
} from './kernels/numbers';
import { readDates, readDurations, readTimestamps, type CheckedKernel } from './kernels/temporal';
import type { ColumnDefinition } from './packets';
import { isText, textOf, WIRE } from './wire-types';

/** Fills a column's vector, which has been cleared, with the rows of the field table. */
export type ColumnReader = (rows: number, nulls: number) => void;

/** A column of the plan together with what the server says that it sends, and where it goes. */
export interface WireColumn {
  readonly table: string;
  readonly planned: PlannedColumn;
  readonly definition: ColumnDefinition;
  readonly masker: Masker | undefined;
  readonly vector: Vector;
  readonly fields: FieldTable;
  readonly memory: Allocator;
  /** The column's place among the columns of the answer. */
  readonly index: number;
  readonly statistics: ReadStatistics;
}

/**
 * The second pass over one column. Where the server sends what the plan expects, a kernel takes
 * the whole column; masks, and types that differ from the plan (the columns of a view may), go
 * value by value through the text that the server would print.
 */
export function createColumnReader(column: WireColumn): ColumnReader {
  if (column.masker !== undefined) return maskedReader(column, column.masker);
  return kernelReader(column) ?? textReader(column);
}

function kernelReader(column: WireColumn): ColumnReader | undefined {
  const { planned, definition, vector } = column;
  const { type } = planned.spec;
  switch (type.kind) {
    case 'int':
      if (planned.wire === 'bits') {
        return definition.type === WIRE.bit ? bitReader(column) : undefined;
      }
      return integerReader(column, type.bits, type.signed);
    case 'float':
      return definition.type === WIRE.float
        ? numberReader(column, vector as FloatVector, readFloat)
        : undefined;
    case 'double':
      return definition.type === WIRE.double
        ? numberReader(column, vector as DoubleVector, readDouble)
        : undefined;
    case 'decimal':
      if (!isText(definition)) return undefined;
      return type.precision <= 18
        ? decimalReader(column, type.precision, type.scale)
        : wideDecimalReader(column, type.precision, type.scale);
    case 'date':
      return definition.type === WIRE.date
        ? checkedReader(column, readDates, () => (vector as Fixed32Vector).data)
        : undefined;
    case 'timestamp':
      return definition.type === WIRE.datetime || definition.type === WIRE.timestamp
        ? checkedReader(column, readTimestamps, () => (vector as Fixed64Vector).halves)
        : undefined;
    case 'duration':
      return definition.type === WIRE.time
        ? checkedReader(column, readDurations, () => (vector as Fixed64Vector).halves)
        : undefined;
    case 'text':
    case 'json':
    case 'binary':
      return isText(definition) ? bytesReader(column) : undefined;
    case 'wkb':
      return isText(definition) ? geometryReader(column) : undefined;
    case 'boolean':
    case 'time':
    case 'uuid':
      return undefined;
  }
}

/** Makes room in the vector, marks the NULLs and answers the number of values. */
function prepare({ vector, fields, index }: WireColumn, rows: number, nulls: number): number {
  vector.reserve(rows);
  if (nulls > 0) {
    return closeUpNulls(vector.valid, fields.starts[index]!, fields.ends[index]!, rows);
  }
  vector.valid.fill(1, 0, rows);
  return rows;
}

function numberReader<Target>(
  column: WireColumn,
  vector: Vector & { readonly data: Target },
  kernel: NumberKernel<Target>,
): ColumnReader {
  const { fields, index } = column;
  return (rows, nulls) => {
    const values = prepare(column, rows, nulls);
    kernel(fields.view, fields.starts[index]!, values, vector.data);
    vector.filled(rows, values);
  };
}

type IntegerKernel = NumberKernel<Int32Array>;

function integerReader(
  column: WireColumn,
  bits: 8 | 16 | 32 | 64,
  signed: boolean,
): ColumnReader | undefined {
  const { type, unsigned } = column.definition;
  const vector = column.vector as Fixed32Vector;
  if (type === WIRE.year && bits === 16 && signed) return numberReader(column, vector, readInt16);
  if (unsigned === signed) return undefined;
  const read = (narrow: IntegerKernel) => numberReader(column, vector, narrow);
  if (type === WIRE.tiny && bits === 8) return read(signed ? readInt8 : readUint8);
  if (type === WIRE.short && bits === 16) return read(signed ? readInt16 : readUint16);
  if ((type === WIRE.long || type === WIRE.int24) && bits === 32) return read(readInt32);
  if (type !== WIRE.longlong || bits !== 64) return undefined;
  const { fields, index } = column;
  const wide = column.vector as Fixed64Vector;
  return (rows, nulls) => {
    const values = prepare(column, rows, nulls);
    readInt64(fields.view, fields.starts[index]!, values, wide.halves);
    wide.filled(rows, values);
  };
}

/** For dates and times: what the kernel does not take follows `invalidDates`. */
function checkedReader(
  column: WireColumn,
  kernel: CheckedKernel,
  target: () => Int32Array,
): ColumnReader {
  const { fields, index, vector, planned, statistics } = column;
  return (rows, nulls) => {
    let values = prepare(column, rows, nulls);
    const starts = fields.starts[index]!;
    const ends = fields.ends[index]!;
    const { view } = fields;
    const data = target();
    const taken = kernel(view, starts, ends, 0, values, data);
    if (taken < values) {
      if (planned.invalidDates !== 'null') throw unfaithful(column, taken);
      const kept = dropValues(
        vector.valid,
        starts,
        ends,
        rows,
        (value) => kernel(view, starts, ends, value, value + 1, data) === value + 1,
      );
      statistics.invalidValues += values - kept;
      values = kept;
      kernel(view, starts, ends, 0, values, data);
    }
    vector.filled(rows, values);
  };
}

/** For kernels whose every value must be taken, by `takeOne` if not by them. */
function completeReader(
  column: WireColumn,
  run: (from: number, values: number) => number,
  takeOne: (value: number) => boolean,
): ColumnReader {
  return (rows, nulls) => {
    const values = prepare(column, rows, nulls);
    let taken = run(0, values);
    while (taken < values) {
      if (!takeOne(taken)) throw unfaithful(column, taken);
      taken = run(taken + 1, values);
    }
    column.vector.filled(rows, values);
  };
}

function bitReader(column: WireColumn): ColumnReader {
  const { fields, index } = column;
  const vector = column.vector as Fixed64Vector;
  const run = (from: number, values: number) =>
    readBits(fields.bytes, fields.starts[index]!, fields.ends[index]!, from, values, vector.halves);
  return completeReader(column, run, () => false);
}

function decimalReader(column: WireColumn, precision: number, scale: number): ColumnReader {
  const { fields, index } = column;
  const vector = column.vector as Fixed64Vector;
  const run = (from: number, values: number) =>
    readDecimals(
      fields.bytes,
      fields.starts[index]!,
      fields.ends[index]!,
      from,
      values,
      vector.halves,
      precision,
      scale,
    );
  return completeReader(column, run, (value) => {
    const unscaled = unscaledDecimal(valueBytes(column, value), precision, scale);
    if (unscaled === undefined) return false;
    vector.data[value] = unscaled;
    return true;
  });
}

function wideDecimalReader(column: WireColumn, precision: number, scale: number): ColumnReader {
  const { fields, index, memory } = column;
  const vector = column.vector as BytesVector;
  let data = memory.bytes(0);
  let view = new DataView(data.buffer, 0, 0);
  const run = (from: number, values: number) =>
    readWideDecimals(
      fields.bytes,
      fields.starts[index]!,
      fields.ends[index]!,
      from,
      values,
      view,
      precision,
      scale,
    );
  const read = completeReader(column, run, (value) => {
    const unscaled = unscaledDecimal(valueBytes(column, value), precision, scale);
    if (unscaled === undefined) return false;
    view.setBigInt64(value * WIDE_DECIMAL_BYTES, unscaled >> 64n);
    view.setBigUint64(value * WIDE_DECIMAL_BYTES + 8, BigInt.asUintN(64, unscaled));
    return true;
  });
  return (rows, nulls) => {
    if (data.length < rows * WIDE_DECIMAL_BYTES) {
      memory.release(data);
      data = memory.bytes(rows * WIDE_DECIMAL_BYTES);
      view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    }
    read(rows, nulls);
    const { starts, ends, values } = vector;
    for (let value = 0; value < values; value++) {
      starts[value] = value * WIDE_DECIMAL_BYTES;
      ends[value] = (value + 1) * WIDE_DECIMAL_BYTES;
    }
    vector.refer(data, values * WIDE_DECIMAL_BYTES);
  };
}

/** Values stay where they came in: the vector takes the field table's offsets as its own. */
function bytesReader(column: WireColumn): ColumnReader {
  const { fields, index } = column;
  const vector = column.vector as BytesVector;
  const starts = fields.starts[index]!;
  const ends = fields.ends[index]!;
  return (rows, nulls) => {
    vector.starts = starts;
    vector.ends = ends;
    const values = prepare(column, rows, nulls);
    vector.refer(fields.bytes, bytesBetween(starts, ends, values));
    vector.filled(rows, values);
  };
}

function geometryReader(column: WireColumn): ColumnReader {
  const { fields, index } = column;
  const read = bytesReader(column);
  return (rows, nulls) => {
    read(rows, nulls);
    const { values } = column.vector;
    const starts = fields.starts[index]!;
    const ends = fields.ends[index]!;
    const taken = skipSrids(starts, ends, values);
    if (taken < values) throw unfaithful(column, taken);
    (column.vector as BytesVector).refer(fields.bytes, bytesBetween(starts, ends, values));
  };
}

function maskedReader(column: WireColumn, masker: Masker): ColumnReader {
  const vector = column.vector as BytesVector;
  return byValue(column, (text) => {
    const masked = masker(text);
    if (typeof masked === 'string') vector.appendText(masked);
    else vector.append(masked);
    return true;
  });
}

function textReader(column: WireColumn): ColumnReader {
  return byValue(column, createTextDecoder(column.vector));
}

function byValue(column: WireColumn, append: (text: Buffer) => boolean): ColumnReader {
  const { fields, index, vector, planned, statistics } = column;
  const textAt = textOf(column.definition);
  return (rows) => {
    const starts = fields.starts[index]!;
    const ends = fields.ends[index]!;
    for (let row = 0; row < rows; row++) {
      const start = starts[row]!;
      if (start < 0) {
        vector.appendNull();
        continue;
      }
      if (append(textAt(fields.bytes, start, ends[row]!))) continue;
      if (planned.invalidDates !== 'null') throw unfaithful(column, row);
      vector.appendNull();
      statistics.invalidValues++;
    }
  };
}

/** A value as it came over the wire. */
function valueBytes({ fields, index }: WireColumn, value: number): Buffer {
  return fields.bytes.subarray(fields.starts[index]![value], fields.ends[index]![value]);
}

/** Values of calendar and number columns are short and say nothing about a person. */
const SHOWN_BYTES = 64;

function unfaithful(column: WireColumn, place: number): ComportaError {
  const { planned, fields, index, table } = column;
  const { name, sourceType } = planned.spec;
  const start = fields.starts[index]![place]!;
  const text = textOf(column.definition)(fields.bytes, start, fields.ends[index]![place]!);
  const shown = text.subarray(0, SHOWN_BYTES).toString('utf8');
  const remedy =
    planned.invalidDates === 'fail'
      ? `correct the row, set invalidDates to null or text, or exclude ${name}`
      : `list ${name} under columns.text, or exclude it`;
  return new ComportaError(
    'ValueUnfaithful',
    `column ${name} (${sourceType}) holds ${shown}, which has no faithful form`,
    { table, remedy },
  );
}
