import { NULL_FIELD, type FieldTable } from '../../../columnar/fields';
import { unreadable } from './unreadable';

/** A message is a letter, the length of what follows it, itself included, and that. */
export const MESSAGE_HEADER = 5;
/** A row is the message's header, the number of fields, and per field a length and its bytes. */
export const ROW_HEADER = MESSAGE_HEADER + 2;
export const COPY_DATA = 0x64;

/**
 * Notes the rows that lie whole between `at` and `filled` of the table's bytes, one message each
 * (postgresql.org/docs, "Message Formats", CopyData; "COPY", "Binary Format"). Answers where it
 * stopped: at a message that is not whole, that is no row of as many fields as the table has
 * columns, or because the table is full.
 *
 * The one loop over all values of a table. `bytes` needs a few bytes more than `filled`, because
 * a length may be read behind the end before it is known that the row is corrupt.
 */
export function walkRows(fields: FieldTable, at: number, filled: number): number {
  const { view, places, stride, nulls, capacity } = fields;
  const columns = nulls.length;
  const step = 2 * stride;
  let row = fields.rows;
  let start = at;
  while (row < capacity && start + ROW_HEADER <= filled) {
    const end = start + 1 + view.getInt32(start + 1);
    if (end > filled || end < start + ROW_HEADER) break;
    if (view.getUint8(start) !== COPY_DATA) break;
    if (view.getInt16(start + MESSAGE_HEADER) !== columns) break;
    let position = start + ROW_HEADER;
    for (let column = 0, place = row; column < columns; column++, place += step) {
      const length = view.getInt32(position);
      position += 4;
      if (length < 0) {
        if (length !== NULL_FIELD || position > end) throw unreadable('a length is wrong');
        places[place] = NULL_FIELD;
        nulls[column]! += 1;
        continue;
      }
      places[place] = position;
      position += length;
      if (position > end) throw unreadable('a value is longer than its row');
      places[place + stride] = position;
    }
    if (position !== end) throw unreadable('a row is longer than its values');
    row += 1;
    start = end;
  }
  fields.rows = row;
  return start;
}
