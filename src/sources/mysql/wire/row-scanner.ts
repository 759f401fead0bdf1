import type { FieldTable } from '../../../columnar/fields';
import type { Incoming } from './incoming';
import * as packets from './packets';
import type { RowWalker } from './row-walker';

// Constants of this file, not imported ones: those are looked up again for each row.
const HEADER_BYTES = packets.HEADER_BYTES;
const MAX_PAYLOAD = packets.MAX_PAYLOAD;
const ROW_MARKER = packets.MARKER.row;

/** Where the reading of rows stands. `error`: an ERR packet lies at `begin`. */
export type ScanState = 'rows' | 'end' | 'error' | 'corrupt';

/** The first pass over the rows of an answer: finds whole rows among what has come. */
export class RowScanner {
  state: ScanState = 'rows';

  /** @param sequence the number of the packet that comes next. */
  constructor(
    private readonly incoming: Incoming,
    private readonly fields: FieldTable,
    private readonly walk: RowWalker,
    private sequence: number,
  ) {}

  /** Takes what whole rows there are. True when these are all for now. */
  advance(): boolean {
    const { incoming, fields } = this;
    if (this.state !== 'rows') return true;
    if (fields.rows === 0) fields.reset(incoming.bytes);
    do this.takePlainRows();
    while (fields.rows < fields.capacity && this.takeOther());
    return (
      this.state !== 'rows' ||
      fields.rows === fields.capacity ||
      (fields.rows > 0 && incoming.isFull)
    );
  }

  /** Rows of one packet each, until there is something else. */
  private takePlainRows(): void {
    const { incoming, fields, walk } = this;
    const { bytes, fill } = incoming;
    const { capacity } = fields;
    let { sequence } = this;
    let { rows } = fields;
    let at = incoming.begin;
    while (rows < capacity && at + HEADER_BYTES < fill) {
      const length = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
      const end = at + HEADER_BYTES + length;
      if (end > fill || length === MAX_PAYLOAD || bytes[at + 3] !== sequence) break;
      if (bytes[at + HEADER_BYTES] !== ROW_MARKER) break;
      if (walk(bytes, at + HEADER_BYTES + 1, rows) !== end) {
        this.state = 'corrupt';
        break;
      }
      sequence = (sequence + 1) & 0xff;
      rows++;
      at = end;
    }
    incoming.begin = at;
    fields.rows = rows;
    this.sequence = sequence;
  }

  /** Looks at what is no plain row. True when it was a row after all. */
  private takeOther(): boolean {
    const { bytes, begin, fill } = this.incoming;
    if (this.state !== 'rows' || fill - begin < HEADER_BYTES) return false;
    const length = bytes.readUIntLE(begin, 3);
    if (length === MAX_PAYLOAD) return this.takeLargeRow();
    const payload = begin + HEADER_BYTES;
    const isError = length > 0 && fill > payload && bytes[payload] === packets.MARKER.error;
    // A server that shuts down says so in a packet that is numbered anew.
    if (!isError && bytes[begin + 3] !== this.sequence) this.state = 'corrupt';
    else if (fill < payload + length) return false;
    else if (isError) this.state = 'error';
    else if (packets.isEndOfRows(bytes, payload, length)) {
      this.state = 'end';
      this.incoming.begin = payload + length;
    } else this.state = 'corrupt';
    return false;
  }

  /**
   * A row in several packets: all of MAX_PAYLOAD bytes, except the last, which is shorter and may
   * be empty (https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html).
   * Once all are there, the headers between them are closed up in place.
   */
  private takeLargeRow(): boolean {
    const { incoming, fields, walk } = this;
    const { bytes, begin, fill } = incoming;
    let { sequence } = this;
    let at = begin;
    let length: number;
    do {
      if (fill - at < HEADER_BYTES) return false;
      length = bytes.readUIntLE(at, 3);
      if (bytes[at + 3] !== sequence) {
        this.state = 'corrupt';
        return false;
      }
      sequence = (sequence + 1) & 0xff;
      at += HEADER_BYTES + length;
      if (at > fill) return false;
    } while (length === MAX_PAYLOAD);

    let end = begin + HEADER_BYTES + MAX_PAYLOAD;
    for (let part = end; part < at;) {
      const partLength = bytes.readUIntLE(part, 3);
      const from = part + HEADER_BYTES;
      bytes.copyWithin(end, from, from + partLength);
      end += partLength;
      part = from + partLength;
    }
    const start = begin + HEADER_BYTES;
    if (bytes[start] !== ROW_MARKER || walk(bytes, start + 1, fields.rows) !== end) {
      this.state = 'corrupt';
      return false;
    }
    incoming.begin = at;
    this.sequence = sequence;
    fields.rows++;
    return true;
  }
}
