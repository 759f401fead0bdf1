import type { Vector } from '../vectors';
import { writeByteArrays, writeTails } from './encoding';
import { PhysicalType, type SchemaElement } from './format';
import type { PageBuffer } from './page-buffer';

/**
 * Appends values `from` up to `end` of a vector in Parquet's plain encoding. Booleans take a byte
 * each: they are packed when the page ends.
 */
export function appendPlain(
  page: PageBuffer,
  element: SchemaElement,
  vector: Vector,
  from: number,
  end: number,
): void {
  switch (vector.storage) {
    case 'boolean':
      return copy(page, element, vector.data, 1, from, end);
    case 'fixed32':
    case 'float':
      return copy(page, element, vector.data, 4, from, end);
    case 'double':
      return copy(page, element, vector.data, 8, from, end);
    case 'fixed64':
      return element.type === PhysicalType.int32
        ? copyLowHalves(page, element, vector.halves, from, end)
        : copy(page, element, vector.data, 8, from, end);
    case 'bytes': {
      const { data, starts, ends } = vector;
      if (element.length !== undefined) {
        page.reserve((end - from) * element.length, element.name);
        writeTails(page.bytes, page.end, data, ends, from, end, element.length);
        page.length += (end - from) * element.length;
        return;
      }
      page.reserve(plainBytes(starts, ends, from, end), element.name);
      page.length +=
        writeByteArrays(page.bytes, page.view, page.end, data, starts, ends, from, end) - page.end;
    }
  }
}

/** Bytes that byte arrays take, with their lengths and what `writeByteArrays` writes beyond them. */
function plainBytes(starts: Int32Array, ends: Int32Array, from: number, end: number): number {
  let bytes = (end - from) * 4;
  for (let i = from; i < end; i++) bytes += ends[i]! - starts[i]!;
  return bytes;
}

function copy(
  page: PageBuffer,
  { name }: SchemaElement,
  data: ArrayBufferView,
  width: 1 | 4 | 8,
  from: number,
  end: number,
): void {
  const bytes = (end - from) * width;
  page.reserve(bytes, name);
  page.bytes.set(new Uint8Array(data.buffer, data.byteOffset + from * width, bytes), page.end);
  page.length += bytes;
}

function copyLowHalves(
  page: PageBuffer,
  { name }: SchemaElement,
  halves: Int32Array,
  from: number,
  end: number,
): void {
  page.reserve((end - from) * 4, name);
  const { view } = page;
  let position = page.end;
  for (let i = from; i < end; i++) {
    view.setInt32(position, halves[2 * i]!, true);
    position += 4;
  }
  page.length += (end - from) * 4;
}
