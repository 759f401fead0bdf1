import * as duckdb from '@duckdb/node-api';
import { BatchBuilder } from '../../src/columnar/vectors';
import type { ColumnSpec, LogicalType } from '../../src/types/logical';
import { appendRow, column, type Value } from './columns';

const ROWS_AT_ONCE = 8192;

/** A query's columns under the logical types that a source would give them. */
export async function columnsOf(
  connection: duckdb.DuckDBConnection,
  sql: string,
): Promise<ColumnSpec[]> {
  const reader = await connection.runAndReadAll(`DESCRIBE ${sql}`);
  return reader.getRows().map(([name, type]) => column(String(name), logicalType(String(type))));
}

/** A query's answer as batches; one builder, cleared and reused, as a source does it. */
export async function* queryBatches(
  connection: duckdb.DuckDBConnection,
  sql: string,
  columns: readonly ColumnSpec[],
): AsyncGenerator<BatchBuilder> {
  const builder = new BatchBuilder(columns);
  const result = await connection.stream(sql);
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) break;
    for (const row of chunk.getRows()) {
      appendRow(
        builder,
        row.map((value, i) => testValue(value, columns[i]!.type)),
      );
    }
    if (builder.rows >= ROWS_AT_ONCE) {
      yield builder;
      builder.clear();
    }
  }
  if (builder.rows > 0) yield builder;
}

const INTEGERS: Readonly<Record<string, LogicalType>> = {
  TINYINT: { kind: 'int', bits: 8, signed: true },
  SMALLINT: { kind: 'int', bits: 16, signed: true },
  USMALLINT: { kind: 'int', bits: 16, signed: false },
  INTEGER: { kind: 'int', bits: 32, signed: true },
  BIGINT: { kind: 'int', bits: 64, signed: true },
  UBIGINT: { kind: 'int', bits: 64, signed: false },
};

const OTHERS: Readonly<Record<string, LogicalType>> = {
  BOOLEAN: { kind: 'boolean' },
  DOUBLE: { kind: 'double' },
  VARCHAR: { kind: 'text' },
  DATE: { kind: 'date' },
  TIMESTAMP: { kind: 'timestamp', utc: false },
};

function logicalType(name: string): LogicalType {
  const decimal = /^DECIMAL\((\d+),(\d+)\)$/.exec(name);
  if (decimal) {
    return { kind: 'decimal', precision: Number(decimal[1]), scale: Number(decimal[2]) };
  }
  const type = INTEGERS[name] ?? OTHERS[name];
  if (type === undefined) throw new TypeError(`no logical type for ${name}`);
  return type;
}

function testValue(value: duckdb.DuckDBValue, type: LogicalType): Value {
  if (value instanceof duckdb.DuckDBDecimalValue) return value.value;
  if (value instanceof duckdb.DuckDBDateValue) return value.days;
  if (value instanceof duckdb.DuckDBTimestampValue) return value.micros;
  if (type.kind === 'int' && type.bits < 64) return Number(value);
  return value as Value;
}
