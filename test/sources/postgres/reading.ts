import assert from 'node:assert/strict';
import type { Vector } from '../../../src/columnar/vectors';
import type { TableSettings } from '../../../src/pipeline/pipeline';
import type { ReadStatistics, RowFilter, Source, SourceTable } from '../../../src/sources/source';
import type { ColumnSpec } from '../../../src/types/logical';
import type { Value } from '../../support/columns';
import { memories } from '../../support/memories';
import { FULL_LOAD } from '../../support/table-settings';

export interface ReadTable {
  readonly columns: readonly ColumnSpec[];
  readonly rows: readonly (readonly Value[])[];
  readonly count: number;
  readonly batches: number;
  readonly statistics: ReadStatistics;
}

/** Reads a whole table through a snapshot of its own. */
export async function readTable(
  source: Source,
  id: string,
  changes: Partial<TableSettings> = {},
  filter: RowFilter = {},
): Promise<ReadTable> {
  const snapshot = await source.openSnapshot(
    await tableOf(source, id),
    new AbortController().signal,
  );
  try {
    const settings = { ...FULL_LOAD, ...changes };
    const { columns } = snapshot.plan(settings);
    const count = await snapshot.count(filter);
    const statistics = { rows: 0, invalidValues: 0 };
    const rows: Value[][] = [];
    let batches = 0;
    await memories.lend(async (memory) => {
      for await (const batch of snapshot.read(settings, filter, statistics, memory)) {
        batches += 1;
        const values = batch.columns.map(vectorValues);
        for (let row = 0; row < batch.rows; row++) rows.push(values.map((all) => all[row] ?? null));
      }
    });
    assert.equal(await snapshot.rowsSent(), count);
    return { columns, rows, count, batches, statistics };
  } finally {
    await snapshot.close();
  }
}

export async function tableOf(source: Source, id: string): Promise<SourceTable> {
  const [table] = await source.listTables([id]);
  if (table === undefined) throw new Error(`no table ${id}`);
  return table;
}

/** A vector's values in row order; wide decimals as bigint, text as string. */
export function vectorValues(vector: Vector): Value[] {
  let at = 0;
  return Array.from({ length: vector.rows }, (_, row) =>
    vector.valid[row] === 1 ? valueAt(vector, at++) : null,
  );
}

function valueAt(vector: Vector, index: number): Value {
  switch (vector.storage) {
    case 'boolean':
      return vector.data[index] === 1;
    case 'fixed32':
    case 'fixed64':
    case 'float':
    case 'double':
      return vector.data[index] ?? null;
    case 'bytes': {
      const bytes = Buffer.from(vector.data.subarray(vector.starts[index], vector.ends[index]));
      const { kind } = vector.spec.type;
      if (kind === 'decimal') return BigInt.asIntN(128, BigInt(`0x${bytes.toString('hex')}`));
      return kind === 'text' || kind === 'json' ? bytes.toString('utf8') : bytes;
    }
  }
}
