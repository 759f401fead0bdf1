import { unreadable } from './unreadable';

/** https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format". */
const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
const FLAGS = SIGNATURE.length;
const EXTENSION_LENGTH = FLAGS + 4;
const EXTENSION = EXTENSION_LENGTH + 4;
/** A reader that does not know one of these flags must not take the rows. */
const CRITICAL_FLAGS = 0xffff_0000;

/** Where the first row begins in the message that begins with the header. */
export function headerEnd(message: Buffer): number {
  const hasHeader = message.length >= EXTENSION && message.subarray(0, FLAGS).equals(SIGNATURE);
  if (!hasHeader) throw unreadable('they do not begin with the header of the binary format');
  if ((message.readInt32BE(FLAGS) & CRITICAL_FLAGS) !== 0) {
    throw unreadable('their format has a flag that is not known here');
  }
  const extension = message.readInt32BE(EXTENSION_LENGTH);
  const end = EXTENSION + extension;
  if (extension < 0 || end > message.length) throw unreadable('their header is longer than it is');
  return end;
}

/** Whether a message is the end of the rows and no row. */
export function isTrailer(message: Buffer): boolean {
  return message.length === 2 && message.readInt16BE(0) === -1;
}

/** The number of rows in a whole CommandComplete message, `COPY 12`; NaN without. */
export function rowsCopied(message: Buffer): number {
  const tag = /COPY (\d+)\0$/.exec(message.toString('latin1'));
  return Number(tag?.[1] ?? NaN);
}
