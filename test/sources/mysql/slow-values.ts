import type { BytesVector, Fixed64Vector, Vector } from '../../../src/columnar/vectors';
import { createTextDecoder, type TextDecoder } from '../../../src/columnar/decode/text-decoder';
import { ComportaError } from '../../../src/errors';
import { createMasker } from '../../../src/pipeline/mask';
import type { SecretStore } from '../../../src/pipeline/secrets';
import type { ReadStatistics } from '../../../src/sources/source';
import type { PlannedColumn } from '../../../src/sources/mysql/plan';

/** Appends one value that is not NULL, as it came over the wire. Throws ValueUnfaithful. */
export type ValueAppender = (value: Buffer) => void;

/** Makes the appender of one column; a mask's secret is fetched here. */
export async function createAppender(
  secrets: SecretStore,
  table: string,
  column: PlannedColumn,
  vector: Vector,
  statistics: ReadStatistics,
): Promise<ValueAppender> {
  if (column.mask !== undefined) {
    const masker = await createMasker(column.mask, secrets);
    const bytes = vector as BytesVector;
    return (value) => {
      const masked = masker(value);
      if (typeof masked === 'string') bytes.appendText(masked);
      else bytes.append(masked);
    };
  }
  const decode = wireDecoder(column, vector);
  if (column.invalidDates === 'null') {
    return (value) => {
      if (decode(value)) return;
      vector.appendNull();
      statistics.invalidValues++;
    };
  }
  const remedy =
    column.invalidDates === 'fail'
      ? `correct the row, set invalidDates to null or text, or exclude ${column.spec.name}`
      : `list ${column.spec.name} under columns.text, or exclude it`;
  return (value) => {
    if (decode(value)) return;
    throw new ComportaError(
      'ValueUnfaithful',
      `column ${column.spec.name} (${column.spec.sourceType}) holds ${shown(value)}, which has no faithful form`,
      { table, remedy },
    );
  };
}

/** Values of calendar and number columns are short and say nothing about a person. */
function shown(value: Buffer): string {
  return value.subarray(0, 64).toString('utf8');
}

function wireDecoder(column: PlannedColumn, vector: Vector): TextDecoder {
  switch (column.wire) {
    case 'usual':
      return createTextDecoder(vector);
    case 'bits':
      return (value) => appendBits(vector as Fixed64Vector, value);
    case 'geometry':
      return (value) => appendGeometry(vector as BytesVector, value);
  }
}

/** BIT(n) comes as its bytes, most significant first, shortest form for n. */
function appendBits(vector: Fixed64Vector, value: Buffer): boolean {
  if (value.length > 8) return false;
  let bits = 0n;
  for (const byte of value) bits = (bits << 8n) | BigInt(byte);
  vector.append(bits);
  return true;
}

const SRID_BYTES = 4;

/**
 * Both servers store and send a geometry as its SRID in 4 bytes followed by well-known binary:
 * https://dev.mysql.com/doc/refman/8.4/en/gis-data-formats.html (Internal Geometry Storage
 * Format). Taking that as it is keeps the stored order of coordinates, where MySQL's ST_AsBinary
 * would swap longitude and latitude for geographic systems.
 */
function appendGeometry(vector: BytesVector, value: Buffer): boolean {
  if (value.length <= SRID_BYTES) return false;
  vector.append(value.subarray(SRID_BYTES));
  return true;
}
