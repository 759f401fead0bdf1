import type { FieldTable } from '../../../columnar/fields';
import { ComportaError } from '../../../errors';
import type { Incoming } from './incoming';
import {
  columnDefinition,
  HEADER_BYTES,
  isEndOfColumns,
  MARKER,
  MAX_PAYLOAD,
  onlyNumber,
  serverError,
  type ColumnDefinition,
} from './packets';
import { RowScanner } from './row-scanner';
import type { RowWalker } from './row-walker';

/**
 * The server's answer to COM_STMT_EXECUTE: the number of columns, their definitions, EOF, rows,
 * EOF; at any place an ERR packet may end it instead.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset.html
 */
export interface Answer {
  /** Throws the server's error, or SourceInterrupted for bytes that are no such answer. */
  columns(): Promise<readonly ColumnDefinition[]>;
  /** After `columns`: finds rows from now on for `fields`. */
  rows(fields: FieldTable, walk: RowWalker): AnswerRows;
}

export interface AnswerRows {
  /**
   * Waits for the next rows and notes them in the field table, which stays valid until the next
   * call. False after the last ones. Throws as `columns` does.
   */
  next(): Promise<boolean>;
}

export function createAnswer(incoming: Incoming): Answer {
  // The command was number 0.
  let sequence = 1;

  async function packet(): Promise<Buffer> {
    await incoming.until(() => hasPacket(incoming));
    const { bytes, begin } = incoming;
    const length = bytes.readUIntLE(begin, 3);
    const payload = bytes.subarray(begin + HEADER_BYTES, begin + HEADER_BYTES + length);
    const isError = payload[0] === MARKER.error;
    if (length === MAX_PAYLOAD || (!isError && bytes[begin + 3] !== sequence)) throw noAnswer();
    incoming.begin += HEADER_BYTES + length;
    sequence = (sequence + 1) & 0xff;
    if (isError) throw serverError(payload);
    return payload;
  }

  return {
    async columns() {
      const count = onlyNumber(await packet());
      if (count === undefined || count === 0) throw noAnswer();
      const definitions: ColumnDefinition[] = [];
      while (definitions.length < count) {
        const definition = columnDefinition(await packet());
        if (definition === undefined) throw noAnswer();
        definitions.push(definition);
      }
      const end = await packet();
      if (!isEndOfColumns(end, 0, end.length)) throw noAnswer();
      return definitions;
    },
    rows(fields, walk) {
      const scanner = new RowScanner(incoming, fields, walk, sequence);
      return { next: () => nextRows(incoming, scanner, fields) };
    },
  };
}

async function nextRows(
  incoming: Incoming,
  scanner: RowScanner,
  fields: FieldTable,
): Promise<boolean> {
  fields.rows = 0;
  incoming.release();
  await incoming.until(() => scanner.advance());
  if (scanner.state === 'corrupt') throw noAnswer();
  // An error comes after the rows before it, which are lost with it: nobody wants half a table.
  if (scanner.state === 'error') {
    await incoming.until(() => hasPacket(incoming));
    const { bytes, begin } = incoming;
    const payload = begin + HEADER_BYTES;
    throw serverError(bytes.subarray(payload, payload + bytes.readUIntLE(begin, 3)));
  }
  return fields.rows > 0;
}

function hasPacket({ bytes, begin, fill }: Incoming): boolean {
  const left = fill - begin - HEADER_BYTES;
  return left >= 0 && left >= bytes.readUIntLE(begin, 3);
}

function noAnswer(): ComportaError {
  return new ComportaError(
    'SourceInterrupted',
    'MySQL sent what is no answer in its binary protocol',
  );
}
