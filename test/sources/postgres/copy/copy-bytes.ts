/** What a server sends for a COPY in binary, built by hand. */

/** A field of a row: the bytes of its value, null for NULL. */
export type Field = Buffer | null;

export const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
export const HEADER = Buffer.concat([SIGNATURE, Buffer.alloc(8)]);
export const TRAILER = Buffer.from([0xff, 0xff]);

export function message(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(5);
  head.write(type, 'latin1');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

export function rowBytes(fields: readonly Field[]): Buffer {
  return Buffer.concat([
    int16(fields.length),
    ...fields.flatMap((field) => (field === null ? [int32(-1)] : [int32(field.length), field])),
  ]);
}

const BEGIN = [message('1'), message('2'), message('H', Buffer.from([1, 0, 0]))];

/** What follows the rows. */
export function ending(rows: number): Buffer[] {
  return [message('d', TRAILER), message('c'), complete(rows), READY];
}

export function complete(rows: number): Buffer {
  return message('C', Buffer.from(`COPY ${rows}\0`));
}

export const READY = message('Z', Buffer.from('T'));

export function serverError(code: string, text: string): Buffer {
  return message('E', Buffer.from(`SERROR\0VERROR\0C${code}\0M${text}\0\0`));
}

/** The whole answer, with the header in the first row's message, as the server sends it. */
export function copyAnswer(rows: readonly (readonly Field[])[]): Buffer {
  const [first, ...others] = rows.map(rowBytes);
  const begin = first === undefined ? HEADER : Buffer.concat([HEADER, first]);
  return Buffer.concat([
    ...BEGIN,
    message('d', begin),
    ...others.map((row) => message('d', row)),
    ...ending(rows.length),
  ]);
}

export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

export function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
}

/** Cuts bytes into pieces of the given lengths, taken again and again. */
export function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = lengths[i % lengths.length] ?? bytes.length;
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}
