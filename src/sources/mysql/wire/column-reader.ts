import {
  unscaledDecimal,
  WIDE_DECIMAL_BYTES,
  writeWideDecimal,
} from '../../../columnar/decode/decimals';
import { createTextDecoder } from '../../../columnar/decode/text-decoder';
import type { FieldTable } from '../../../columnar/fields';
import type { DecodeKernels } from '../../../columnar/kernels/decode-kernels';
import type { KernelMemory } from '../../../columnar/kernels/memory';
import type { BytesVector, Fixed64Vector, Vector } from '../../../columnar/vectors';
import { ComportaError } from '../../../errors';
import type { Masker } from '../../../pipeline/mask';
import type { ReadStatistics } from '../../source';
import type { PlannedColumn } from '../plan';
import { skipSrids, SRID_BYTES } from './geometry';
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
  /** That of `vector` and `fields`. */
  readonly memory: KernelMemory;
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
  const { planned, definition } = column;
  const { kernels } = column.memory;
  const { type } = planned.spec;
  switch (type.kind) {
    case 'int':
      if (planned.wire === 'bits') {
        return definition.type === WIRE.bit ? bitReader(column) : undefined;
      }
      return integerReader(column, type.bits, type.signed);
    case 'float':
      return definition.type === WIRE.float
        ? numberReader(column, kernels.mysqlFixed32)
        : undefined;
    case 'double':
      return definition.type === WIRE.double
        ? numberReader(column, kernels.mysqlFixed64)
        : undefined;
    case 'decimal':
      if (!isText(definition)) return undefined;
      return type.precision <= 18
        ? decimalReader(column, type.precision, type.scale)
        : wideDecimalReader(column, type.precision, type.scale);
    case 'date':
      return definition.type === WIRE.date
        ? momentReader(column, kernels.mysqlDates, kernels.mysqlDatesLeft)
        : undefined;
    case 'timestamp':
      return definition.type === WIRE.datetime || definition.type === WIRE.timestamp
        ? momentReader(column, kernels.mysqlTimestamps, kernels.mysqlTimestampsLeft)
        : undefined;
    case 'duration':
      return definition.type === WIRE.time
        ? momentReader(column, kernels.mysqlDurations, kernels.mysqlDurationsLeft)
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
function prepare(column: WireColumn, rows: number, nulls: number): number {
  const { vector, memory } = column;
  vector.reserve(rows);
  if (nulls > 0) {
    const [, starts, ends] = addressesOf(column);
    return memory.kernels.gatherValues(starts, ends, vector.valid.byteOffset, rows);
  }
  vector.valid.fill(1, 0, rows);
  return rows;
}

/** The addresses with which a kernel for the column begins. */
function addressesOf({
  fields,
  index,
}: WireColumn): readonly [bytes: number, starts: number, ends: number] {
  const { bytes, starts, ends } = fields;
  return [bytes.byteOffset, starts[index]!.byteOffset, ends[index]!.byteOffset];
}

function numberReader(
  column: WireColumn,
  kernel: (bytes: number, starts: number, count: number, data: number) => void,
): ColumnReader {
  const { vector } = column;
  return (rows, nulls) => {
    const values = prepare(column, rows, nulls);
    const [bytes, starts] = addressesOf(column);
    kernel(bytes, starts, values, vector.data.byteOffset);
    vector.filled(rows, values);
  };
}

function integerReader(
  column: WireColumn,
  bits: 8 | 16 | 32 | 64,
  signed: boolean,
): ColumnReader | undefined {
  const { type, unsigned } = column.definition;
  const { kernels } = column.memory;
  if (type === WIRE.year && bits === 16 && signed) return numberReader(column, kernels.mysqlInt16);
  if (unsigned === signed) return undefined;
  if (type === WIRE.tiny && bits === 8) {
    return numberReader(column, signed ? kernels.mysqlInt8 : kernels.mysqlUint8);
  }
  if (type === WIRE.short && bits === 16) {
    return numberReader(column, signed ? kernels.mysqlInt16 : kernels.mysqlUint16);
  }
  const is32 = type === WIRE.long || type === WIRE.int24;
  if (is32 && bits === 32) return numberReader(column, kernels.mysqlFixed32);
  return type === WIRE.longlong && bits === 64
    ? numberReader(column, kernels.mysqlFixed64)
    : undefined;
}

/** For dates and times: what the kernel does not take follows `invalidDates`. */
function momentReader(
  column: WireColumn,
  read: DecodeKernels['mysqlDates'],
  readLeft: DecodeKernels['mysqlDatesLeft'],
): ColumnReader {
  const { vector, planned, statistics } = column;
  return (rows, nulls) => {
    const values = prepare(column, rows, nulls);
    const places = addressesOf(column);
    const data = vector.data.byteOffset;
    const taken = read(...places, values, data);
    if (taken === values) return vector.filled(rows, values);
    if (planned.invalidDates !== 'null') throw unfaithful(column, taken);
    const left = readLeft(...places, vector.valid.byteOffset, rows, data);
    statistics.invalidValues += values - left;
    vector.filled(rows, left);
  };
}

function bitReader(column: WireColumn): ColumnReader {
  const { vector, memory } = column;
  return (rows, nulls) => {
    const values = prepare(column, rows, nulls);
    const data = vector.data.byteOffset;
    const taken = memory.kernels.mysqlBits(...addressesOf(column), values, data);
    if (taken < values) throw unfaithful(column, taken);
    vector.filled(rows, values);
  };
}

function decimalReader(column: WireColumn, precision: number, scale: number): ColumnReader {
  const { kernels } = column.memory;
  const vector = column.vector as Fixed64Vector;
  return (rows, nulls) => {
    const values = prepare(column, rows, nulls);
    const places = addressesOf(column);
    const { data } = vector;
    for (let at = 0; at < values; at++) {
      at = kernels.mysqlDecimals64(...places, at, values, precision, scale, data.byteOffset);
      if (at < values) data[at] = exactDecimal(column, at, precision, scale);
    }
    vector.filled(rows, values);
  };
}

function wideDecimalReader(column: WireColumn, precision: number, scale: number): ColumnReader {
  const { fields, memory } = column;
  const { kernels } = memory;
  const vector = column.vector as BytesVector;
  const data = memory.bytes(fields.capacity * WIDE_DECIMAL_BYTES);
  return (rows, nulls) => {
    const values = prepare(column, rows, nulls);
    const places = addressesOf(column);
    for (let at = 0; at < values; at++) {
      at = kernels.mysqlDecimals128(...places, at, values, precision, scale, data.byteOffset);
      if (at === values) break;
      const target = data.subarray(at * WIDE_DECIMAL_BYTES);
      writeWideDecimal(target, exactDecimal(column, at, precision, scale));
    }
    const { starts, ends } = vector;
    kernels.placeSideBySide(starts.byteOffset, ends.byteOffset, values, WIDE_DECIMAL_BYTES);
    vector.refer(data, values * WIDE_DECIMAL_BYTES);
    vector.filled(rows, values);
  };
}

/** A decimal of any form, at a place among the column's values. */
function exactDecimal(column: WireColumn, place: number, precision: number, scale: number): bigint {
  const { fields, index } = column;
  const start = fields.starts[index]![place];
  const bytes = fields.bytes.subarray(start, fields.ends[index]![place]);
  const value = unscaledDecimal(bytes, precision, scale);
  if (value === undefined) throw unfaithful(column, place);
  return value;
}

/** Values stay where they came in: the vector takes the field table's offsets as its own. */
function bytesReader(column: WireColumn): ColumnReader {
  const { fields, index, memory } = column;
  const vector = column.vector as BytesVector;
  const starts = fields.starts[index]!;
  const ends = fields.ends[index]!;
  return (rows, nulls) => {
    vector.starts = starts;
    vector.ends = ends;
    const values = prepare(column, rows, nulls);
    const [, first, last] = addressesOf(column);
    vector.refer(fields.bytes, memory.kernels.sumLengths(first, last, values));
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
    (column.vector as BytesVector).refer(
      fields.bytes,
      column.vector.byteLength - values * SRID_BYTES,
    );
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
