import { MAGIC } from './format';
import { readThrift, type ThriftStruct, type ThriftValue } from './thrift';

/** Reads `length` bytes at `offset` of a finished file. */
export interface RangeReader {
  readonly bytes: number;
  read(offset: number, length: number): Promise<Buffer>;
}

export interface FooterColumn {
  readonly name: string;
  /** Over all row groups; undefined where a row group does not say. */
  readonly nulls: number | undefined;
}

export interface Footer {
  readonly rows: number;
  readonly rowGroups: readonly { readonly rows: number; readonly bytes: number }[];
  readonly columns: readonly FooterColumn[];
  readonly keyValues: Readonly<Record<string, string>>;
  readonly createdBy: string | undefined;
}

const TAIL_BYTES = 8;
/** Enough for the footer of most files, so that one read serves. */
const FIRST_READ = 64 * 1024;

/**
 * Reads a Parquet file's footer from its end: what the file itself says it holds. Throws RangeError
 * when it is not a whole Parquet file, or contradicts itself.
 */
export async function readFooter(file: RangeReader): Promise<Footer> {
  if (file.bytes < MAGIC.length + TAIL_BYTES) throw new RangeError('too short for a Parquet file');
  const first = Math.min(file.bytes, FIRST_READ);
  let end = await file.read(file.bytes - first, first);
  if (!end.subarray(-MAGIC.length).equals(MAGIC))
    throw new RangeError('no Parquet magic at the end');
  const length = end.readUInt32LE(end.length - TAIL_BYTES);
  const wanted = length + TAIL_BYTES;
  if (wanted + MAGIC.length > file.bytes)
    throw new RangeError('the footer is longer than the file');
  if (wanted > end.length) end = await file.read(file.bytes - wanted, wanted);
  return parseFooter(end.subarray(end.length - wanted, end.length - TAIL_BYTES));
}

function parseFooter(bytes: Buffer): Footer {
  const file = readThrift(bytes);
  const groups = structs(file.get(4));
  const rowGroups = groups.map((group) => ({
    rows: number(group.get(3)),
    bytes: number(group.get(2)),
  }));
  const rows = number(file.get(3));
  const inGroups = rowGroups.reduce((sum, group) => sum + group.rows, 0);
  if (inGroups !== rows) {
    throw new RangeError(`the footer counts ${rows} rows, its row groups ${inGroups}`);
  }
  const [, ...leaves] = structs(file.get(2));
  const createdBy = file.get(6);
  return {
    rows,
    rowGroups,
    columns: leaves.map((leaf, i) => ({ name: text(leaf.get(4)), nulls: nullsOf(groups, i) })),
    keyValues: Object.fromEntries(
      structs(file.get(5)).map((pair) => [text(pair.get(1)), text(pair.get(2))]),
    ),
    createdBy: createdBy === undefined ? undefined : text(createdBy),
  };
}

function nullsOf(groups: readonly ThriftStruct[], column: number): number | undefined {
  let nulls = 0;
  for (const group of groups) {
    const chunk = structs(group.get(1))[column]?.get(3);
    const statistics = chunk instanceof Map ? chunk.get(12) : undefined;
    const count = statistics instanceof Map ? statistics.get(3) : undefined;
    if (typeof count !== 'number') return undefined;
    nulls += count;
  }
  return nulls;
}

function structs(value: ThriftValue | undefined): ThriftStruct[] {
  if (!Array.isArray(value)) return [];
  return value.filter((item): item is ThriftStruct => item instanceof Map);
}

function number(value: ThriftValue | undefined): number {
  if (typeof value !== 'number') throw new RangeError('the footer lacks a number');
  return value;
}

function text(value: ThriftValue | undefined): string {
  return Buffer.isBuffer(value) ? value.toString('utf8') : '';
}
