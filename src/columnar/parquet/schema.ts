import type { ColumnSpec, LogicalType } from '../../types/logical';
import { ConvertedType, PhysicalType, type SchemaElement } from './format';

/**
 * How a column lies in a Parquet file. Both annotations are written: readers older than the
 * logical ones know only the converted ones, which Parquet's LogicalTypes.md asks writers to set
 * for local times and timestamps too.
 *
 * Every column is OPTIONAL, whatever the source says: a NOT NULL date may hold a value without a
 * faithful form that the pipeline turns into NULL, and files of one table keep one schema.
 */
export function schemaElement({ name, type }: ColumnSpec): SchemaElement {
  return { name, ...parquetType(type) };
}

export type ParquetType = Omit<SchemaElement, 'name'>;

export function parquetType(type: LogicalType): ParquetType {
  switch (type.kind) {
    case 'boolean':
      return { type: PhysicalType.boolean };
    case 'int':
      return {
        type: type.bits === 64 ? PhysicalType.int64 : PhysicalType.int32,
        converted: ConvertedType[`${type.signed ? 'int' : 'uint'}${type.bits}`],
        annotation: { is: 'integer', bits: type.bits, signed: type.signed },
      };
    case 'float':
      return { type: PhysicalType.float };
    case 'double':
      return { type: PhysicalType.double };
    case 'decimal':
      return {
        ...decimalStorage(type.precision),
        converted: ConvertedType.decimal,
        annotation: { is: 'decimal', precision: type.precision, scale: type.scale },
      };
    case 'text':
      return {
        type: PhysicalType.byteArray,
        converted: ConvertedType.utf8,
        annotation: { is: 'string' },
      };
    case 'json':
      return {
        type: PhysicalType.byteArray,
        converted: ConvertedType.json,
        annotation: { is: 'json' },
      };
    case 'uuid':
      return { type: PhysicalType.fixedLenByteArray, length: 16, annotation: { is: 'uuid' } };
    case 'binary':
    case 'wkb':
      // Shapes without the GEOMETRY annotation, which few readers know yet; the file's key-value
      // metadata says that they are well-known binary.
      return { type: PhysicalType.byteArray };
    case 'date':
      return {
        type: PhysicalType.int32,
        converted: ConvertedType.date,
        annotation: { is: 'date' },
      };
    case 'time':
      return {
        type: PhysicalType.int64,
        converted: ConvertedType.timeMicros,
        annotation: { is: 'time', utc: false },
      };
    case 'duration':
      // Parquet's INTERVAL has milliseconds and no sign. The key-value metadata says microseconds.
      return { type: PhysicalType.int64 };
    case 'timestamp':
      return {
        type: PhysicalType.int64,
        converted: ConvertedType.timestampMicros,
        annotation: { is: 'timestamp', utc: type.utc },
      };
  }
}

function decimalStorage(precision: number): ParquetType {
  if (precision <= 9) return { type: PhysicalType.int32 };
  if (precision <= 18) return { type: PhysicalType.int64 };
  return { type: PhysicalType.fixedLenByteArray, length: decimalBytes(precision) };
}

/** The fewest bytes whose two's complement holds every unscaled value of that many digits. */
export function decimalBytes(precision: number): number {
  const bits = Math.ceil(Math.log2(10) * precision) + 1;
  return Math.ceil(bits / 8);
}

/** The key under which `columns` are found in a file's key-value metadata. */
export const COLUMNS_KEY = 'comporta.columns';

/** What a file says of its columns beyond Parquet's own types: JSON of the column specs. */
export function columnsMetadata(columns: readonly ColumnSpec[]): Record<string, string> {
  return { [COLUMNS_KEY]: JSON.stringify(columns) };
}
