import type { SqlColumn } from '../source';
import { quoteIdentifier } from './identifiers';
import type { DescribedColumn } from './plan';

/**
 * Text of a length that the server need not guess: in a UNION it cuts off what goes beyond its guess,
 * and for a float(7,3) that is seven characters (MySQL 9.7). No number, moment or label is longer.
 */
const asShortText = (expression: string) => `CAST(${expression} AS CHAR(1024))`;

/** Types whose text may be longer, and whose length the server knows. */
const LONG_TYPES =
  /^(varchar|(tiny|medium|long)?text|json|set|(var)?binary|(tiny|medium|long)?blob|vector|geom.*|.*point|.*linestring|.*polygon)$/;

/**
 * A planned column in the SQL of Connector/J: whatever that driver would take for something else
 * (tinyint(1) for a boolean, a year for a date, days that no calendar has for an error) the server
 * prints or computes.
 */
export function sqlColumn({
  spec,
  select,
  wire,
  column,
  mask,
  invalidDates,
}: DescribedColumn): SqlColumn {
  const quoted = quoteIdentifier(column.name);
  const common = {
    spec,
    ...(mask === undefined ? {} : { mask }),
    ...(invalidDates === undefined ? {} : { invalidDates }),
  };
  switch (spec.type.kind) {
    case 'int':
      if (wire === 'bits') return { ...common, sql: asShortText(`${quoted} + 0`), form: 'digits' };
      return spec.type.bits === 64 && !spec.type.signed
        ? { ...common, sql: asShortText(quoted), form: 'digits' }
        : { ...common, sql: `CAST(${quoted} AS SIGNED)`, form: 'plain' };
    case 'float':
    case 'double':
      // A float prints six digits only, and as a double all of them.
      return { ...common, sql: `${quoted} * 1e0`, form: 'plain' };
    case 'decimal':
      return { ...common, sql: asShortText(quoted), form: 'digits' };
    case 'date':
    case 'timestamp':
    case 'duration':
      return { ...common, sql: asShortText(quoted), form: 'moment' };
    case 'uuid':
      return { ...common, sql: asShortText(quoted), form: 'hyphenated' };
    case 'wkb':
      return { ...common, sql: quoted, form: 'prefixed' };
    case 'binary':
      return column.dataType === 'vector'
        ? { ...common, sql: `HEX(${quoted})`, form: 'hexadecimal' }
        : { ...common, sql: quoted, form: 'plain' };
    case 'text':
    case 'json':
    case 'boolean':
    case 'time': {
      const sql = LONG_TYPES.test(column.dataType) ? select : asShortText(select);
      return { ...common, sql, form: 'plain' };
    }
  }
}
