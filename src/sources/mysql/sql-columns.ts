import type { SqlColumn } from '../source';
import { quoteIdentifier } from './identifiers';
import type { DescribedColumn } from './plan';
import { asCharacters } from './types';

/**
 * Types whose own metadata lead drivers astray, or whose values Java has no type for. All of them are
 * short, so that the limit of CAST (max_allowed_packet, beyond which it answers NULL) is far away.
 */
const ASKED_AS_CHARACTERS = new Set(['char', 'enum', 'set', 'decimal', 'uuid', 'inet4', 'inet6']);

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
      if (wire === 'bits') return { ...common, sql: asCharacters(`${quoted} + 0`), form: 'digits' };
      return spec.type.bits === 64 && !spec.type.signed
        ? { ...common, sql: asCharacters(quoted), form: 'digits' }
        : { ...common, sql: `CAST(${quoted} AS SIGNED)`, form: 'plain' };
    case 'float':
    case 'double':
      // A float prints six digits only, and as a double all of them.
      return { ...common, sql: `${quoted} * 1e0`, form: 'plain' };
    case 'decimal':
      return { ...common, sql: asCharacters(quoted), form: 'digits' };
    case 'date':
    case 'timestamp':
    case 'duration':
      return { ...common, sql: asCharacters(quoted), form: 'moment' };
    case 'uuid':
      return { ...common, sql: asCharacters(quoted), form: 'hyphenated' };
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
      const isPlain = select === quoted && !ASKED_AS_CHARACTERS.has(column.dataType);
      return {
        ...common,
        sql: isPlain || select !== quoted ? select : asCharacters(quoted),
        form: 'plain',
      };
    }
  }
}
