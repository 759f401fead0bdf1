/** Bytes before each packet: its length in 3, its number in 1. */
export const HEADER_BYTES = 4;

/** A packet of this length is continued in the next one. */
export const MAX_PAYLOAD = 0xff_ff_ff;

/** First bytes of packets. */
export const MARKER = { row: 0x00, end: 0xfe, error: 0xff } as const;

const COM_STMT_EXECUTE = 0x17;

/** Status: another result follows. A SELECT has one. */
const MORE_RESULTS = 0x08;

/** A column of an answer, of https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset_column_definition.html. */
export interface ColumnDefinition {
  /** One of `WIRE`. */
  readonly type: number;
  readonly unsigned: boolean;
  /** Digits after the point. */
  readonly decimals: number;
}

const UNSIGNED_FLAG = 0x20;

/**
 * The command that runs a prepared statement without parameters and without a cursor, so that
 * its rows come at once:
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_execute.html
 */
export function executePacket(statementId: number): Buffer {
  const packet = Buffer.alloc(HEADER_BYTES + 10);
  packet.writeUIntLE(packet.length - HEADER_BYTES, 0, 3);
  packet[HEADER_BYTES] = COM_STMT_EXECUTE;
  packet.writeUInt32LE(statementId, HEADER_BYTES + 1);
  // One iteration, the only number there is.
  packet.writeUInt32LE(1, HEADER_BYTES + 6);
  return packet;
}

/**
 * Whether a payload is the EOF packet that ends columns and rows. mysql2 does not ask for
 * CLIENT_DEPRECATE_EOF, so that servers send this and not an OK packet.
 */
export function isEndOfColumns(bytes: Buffer, at: number, length: number): boolean {
  return length === 5 && bytes[at] === MARKER.end;
}

export function isEndOfRows(bytes: Buffer, at: number, length: number): boolean {
  return isEndOfColumns(bytes, at, length) && (bytes[at + 3]! & MORE_RESULTS) === 0;
}

/** The payload of an ERR packet as mysql2 would throw it, but without the name of the number. */
export function serverError(payload: Buffer): Error & { readonly errno: number } {
  const errno = payload.length >= 3 ? payload.readUInt16LE(1) : 0;
  // A state of five characters after a #, which an error before the sign-in has not.
  const message = payload.subarray(payload[3] === 0x23 ? 9 : 3).toString('utf8');
  return Object.assign(new Error(message), { errno });
}

/** Length of the fields at the end of a column definition, its own byte included. */
const FIXED_FIELDS = 13;

/**
 * A column's definition, undefined for a payload that is none. The names at its beginning are
 * passed over, as is what MariaDB may put behind them (extended metadata:
 * https://mariadb.com/docs/server/reference/clientserver-protocol/4-server-response-packets/result-set-packets).
 */
export function columnDefinition(payload: Buffer): ColumnDefinition | undefined {
  const fixed = payload.length - FIXED_FIELDS;
  if (fixed < 0 || payload[fixed] !== FIXED_FIELDS - 1 || payload[0] === MARKER.error) {
    return undefined;
  }
  return {
    type: payload[fixed + 7]!,
    unsigned: (payload.readUInt16LE(fixed + 8) & UNSIGNED_FLAG) !== 0,
    decimals: payload[fixed + 10]!,
  };
}

/** A length-encoded number that is all of a payload; undefined for anything else. */
export function onlyNumber(payload: Buffer): number | undefined {
  const first = payload[0];
  if (first !== undefined && first <= 250 && payload.length === 1) return first;
  return first === 0xfc && payload.length === 3 ? payload.readUInt16LE(1) : undefined;
}
