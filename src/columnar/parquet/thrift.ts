/**
 * Thrift's compact protocol, as far as Parquet's metadata uses it: structs, lists, integers,
 * booleans and byte strings. Specification: thrift/doc/specs/thrift-compact-protocol.md.
 */
export const ThriftType = {
  true: 1,
  false: 2,
  i8: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  set: 10,
  map: 11,
  struct: 12,
} as const;

/** Writes one struct and what it holds. Fields must be written in ascending order of their ids. */
export class ThriftWriter {
  private buffer = Buffer.allocUnsafe(512);
  private length = 0;
  private lastField = 0;

  bytes(): Buffer {
    return this.buffer.subarray(0, this.length);
  }

  /** Ends the outermost struct. */
  stop(): this {
    this.byte(0);
    return this;
  }

  boolean(field: number, value: boolean): void {
    this.header(field, value ? ThriftType.true : ThriftType.false);
  }

  i8(field: number, value: number): void {
    this.header(field, ThriftType.i8);
    this.byte(value & 0xff);
  }

  i16(field: number, value: number): void {
    this.header(field, ThriftType.i16);
    this.zigzag(value);
  }

  i32(field: number, value: number): void {
    this.header(field, ThriftType.i32);
    this.zigzag(value);
  }

  /** `value` is a safe integer: sizes, offsets and row counts. */
  i64(field: number, value: number): void {
    this.header(field, ThriftType.i64);
    this.zigzag(value);
  }

  binary(field: number, value: string | Uint8Array): void {
    this.header(field, ThriftType.binary);
    this.rawBinary(value);
  }

  struct(field: number, body: () => void): void {
    this.header(field, ThriftType.struct);
    this.nested(body);
  }

  i32List(field: number, values: readonly number[]): void {
    this.listHeader(field, ThriftType.i32, values.length);
    for (const value of values) this.zigzag(value);
  }

  binaryList(field: number, values: readonly (string | Uint8Array)[]): void {
    this.listHeader(field, ThriftType.binary, values.length);
    for (const value of values) this.rawBinary(value);
  }

  i64List(field: number, values: readonly number[]): void {
    this.listHeader(field, ThriftType.i64, values.length);
    for (const value of values) this.zigzag(value);
  }

  booleanList(field: number, values: readonly boolean[]): void {
    this.listHeader(field, ThriftType.true, values.length);
    for (const value of values) this.byte(value ? ThriftType.true : ThriftType.false);
  }

  structList<Item>(field: number, items: readonly Item[], body: (item: Item) => void): void {
    this.listHeader(field, ThriftType.struct, items.length);
    for (const item of items) this.nested(() => body(item));
  }

  private nested(body: () => void): void {
    const outer = this.lastField;
    this.lastField = 0;
    body();
    this.byte(0);
    this.lastField = outer;
  }

  private header(field: number, type: number): void {
    const delta = field - this.lastField;
    if (delta >= 1 && delta <= 15) {
      this.byte((delta << 4) | type);
    } else {
      this.byte(type);
      this.zigzag(field);
    }
    this.lastField = field;
  }

  private listHeader(field: number, elementType: number, size: number): void {
    this.header(field, ThriftType.list);
    if (size < 15) {
      this.byte((size << 4) | elementType);
    } else {
      this.byte(0xf0 | elementType);
      this.varint(size);
    }
  }

  private rawBinary(value: string | Uint8Array): void {
    const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
    this.varint(bytes.length);
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  private zigzag(value: number): void {
    this.varint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  /** By arithmetic rather than shifts: file offsets pass 2^31. */
  private varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.byte((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.byte(rest);
  }

  private byte(value: number): void {
    this.reserve(1);
    this.buffer[this.length++] = value;
  }

  private reserve(count: number): void {
    if (this.length + count <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.length + count));
    this.buffer.copy(larger, 0, 0, this.length);
    this.buffer = larger;
  }
}

export type ThriftValue = number | boolean | Buffer | ThriftValue[] | ThriftStruct;

/** A struct as it was read: values by field id. */
export type ThriftStruct = Map<number, ThriftValue>;

/** Reads one struct. Throws RangeError on bytes that are not one. */
export function readThrift(bytes: Buffer): ThriftStruct {
  return new ThriftReader(bytes).struct();
}

class ThriftReader {
  private position = 0;

  constructor(private readonly bytes: Buffer) {}

  struct(): ThriftStruct {
    const fields: ThriftStruct = new Map();
    let field = 0;
    for (;;) {
      const header = this.byte();
      if (header === 0) return fields;
      const delta = header >> 4;
      field = delta === 0 ? this.zigzag() : field + delta;
      const type = header & 0x0f;
      if (type === ThriftType.true) fields.set(field, true);
      else if (type === ThriftType.false) fields.set(field, false);
      else fields.set(field, this.value(type));
    }
  }

  private value(type: number): ThriftValue {
    switch (type) {
      case ThriftType.true:
      case ThriftType.false:
        return this.byte() === ThriftType.true;
      case ThriftType.i8:
        return (this.byte() << 24) >> 24;
      case ThriftType.i16:
      case ThriftType.i32:
      case ThriftType.i64:
        return this.zigzag();
      case ThriftType.double:
        return this.take(8).readDoubleLE(0);
      case ThriftType.binary:
        return this.take(this.varint());
      case ThriftType.list:
      case ThriftType.set:
        return this.list();
      case ThriftType.struct:
        return this.struct();
      default:
        throw new RangeError(`thrift type ${type} does not occur in Parquet metadata`);
    }
  }

  private list(): ThriftValue[] {
    const header = this.byte();
    const size = header >> 4 === 15 ? this.varint() : header >> 4;
    const items: ThriftValue[] = [];
    for (let i = 0; i < size; i++) items.push(this.value(header & 0x0f));
    return items;
  }

  private zigzag(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  private varint(): number {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 0x80;
    }
  }

  private byte(): number {
    const byte = this.bytes[this.position++];
    if (byte === undefined) throw new RangeError('the metadata ends in the middle of a value');
    return byte;
  }

  private take(count: number): Buffer {
    const end = this.position + count;
    if (end > this.bytes.length) throw new RangeError('the metadata ends in the middle of a value');
    const taken = this.bytes.subarray(this.position, end);
    this.position = end;
    return taken;
  }
}
