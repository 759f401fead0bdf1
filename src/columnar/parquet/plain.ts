import type { Kernels } from '../kernels/kernels';
import type { Vector } from '../vectors';
import { PhysicalType, type SchemaElement } from './format';
import type { PageBuffer } from './page-buffer';
import type { Residence } from './residence';

/**
 * Appends values `from` up to `end` of a vector, which `place` has settled, in Parquet's plain
 * encoding. Booleans take a byte each: they are packed when the page ends.
 */
export function appendPlain(
  kernels: Kernels,
  page: PageBuffer,
  element: SchemaElement,
  vector: Vector,
  place: Residence,
  from: number,
  end: number,
): void {
  const count = end - from;
  switch (vector.storage) {
    case 'boolean':
    case 'fixed32':
    case 'float':
    case 'double':
      return copy(page, element, vector.data, from, end);
    case 'fixed64':
      if (element.type !== PhysicalType.int32) return copy(page, element, vector.data, from, end);
      page.reserve(count * 4, element.name);
      kernels.narrow(place.data, count, page.address);
      page.length += count * 4;
      return;
    case 'bytes': {
      const { data, starts, ends } = place;
      if (element.length !== undefined) {
        page.reserve(count * element.length, element.name);
        kernels.plainTails(data, ends, count, element.length, page.address);
        page.length += count * element.length;
        return;
      }
      page.reserve(kernels.sumLengths(starts, ends, count) + count * 4, element.name);
      page.length += kernels.plainBytes(data, starts, ends, count, page.address) - page.address;
    }
  }
}

function copy(
  page: PageBuffer,
  { name }: SchemaElement,
  data: Exclude<Vector['data'], Buffer> | Uint8Array,
  from: number,
  end: number,
): void {
  const width = data.BYTES_PER_ELEMENT;
  const bytes = (end - from) * width;
  page.reserve(bytes, name);
  page.bytes.set(new Uint8Array(data.buffer, data.byteOffset + from * width, bytes), page.end);
  page.length += bytes;
}
