import type { KernelMemory } from '../kernels/memory';
import type { Vector } from '../vectors';

/**
 * The addresses of some values of a vector in the kernels' memory. Values that lie elsewhere are
 * copied in; they stay there until the next call.
 */
export class Residence {
  /** Of the first value: of fixed width, or for bytes what `starts` and `ends` count from. */
  data = 0;
  starts = 0;
  ends = 0;
  private readonly places = new Map<'data' | 'starts' | 'ends', Buffer>();

  constructor(private readonly memory: KernelMemory) {}

  /** Settles values `from` up to `end`; there is at least one. */
  settle(vector: Vector, from: number, end: number): this {
    if (vector.storage !== 'bytes') {
      this.data = this.addressOf('data', vector.data, from, end);
      return this;
    }
    this.starts = this.addressOf('starts', vector.starts, from, end);
    this.ends = this.addressOf('ends', vector.ends, from, end);
    if (this.memory.holds(vector.data)) {
      this.data = vector.data.byteOffset;
      return this;
    }
    // The offsets stay as they are: what they count from moves.
    const { first, last } = extent(vector.starts, vector.ends, from, end);
    this.data = this.copied('data', vector.data.subarray(first, last)) - first;
    return this;
  }

  /** Gives its memory back. */
  release(): void {
    for (const place of this.places.values()) this.memory.release(place);
    this.places.clear();
  }

  private addressOf(
    place: 'data' | 'starts' | 'ends',
    values: Exclude<Vector['data'], Buffer> | Uint8Array,
    from: number,
    end: number,
  ): number {
    const width = values.BYTES_PER_ELEMENT;
    const start = values.byteOffset + from * width;
    if (this.memory.holds(values)) return start;
    return this.copied(place, new Uint8Array(values.buffer, start, (end - from) * width));
  }

  private copied(place: 'data' | 'starts' | 'ends', bytes: Uint8Array): number {
    let target = this.places.get(place);
    if (target === undefined || target.length < bytes.length) {
      if (target !== undefined) this.memory.release(target);
      target = this.memory.bytes(bytes.length);
      this.places.set(place, target);
    }
    target.set(bytes);
    return target.byteOffset;
  }
}

function extent(starts: Int32Array, ends: Int32Array, from: number, end: number) {
  let first = starts[from]!;
  let last = ends[from]!;
  for (let i = from + 1; i < end; i++) {
    first = Math.min(first, starts[i]!);
    last = Math.max(last, ends[i]!);
  }
  return { first, last };
}
