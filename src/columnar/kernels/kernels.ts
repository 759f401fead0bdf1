/**
 * What kernels/ exports. Arguments are addresses in a `KernelMemory`, counts and sizes; what they
 * do is said there.
 */
export interface Kernels {
  dictionary32(
    values: number,
    count: number,
    slots: number,
    bits: number,
    entries: number,
    most: number,
    indexes: number,
    state: number,
  ): number;
  rehash32(slots: number, bits: number, entries: number, size: number): void;
  dictionary64(
    values: number,
    count: number,
    slots: number,
    bits: number,
    entries: number,
    most: number,
    indexes: number,
    state: number,
  ): number;
  rehash64(slots: number, bits: number, entries: number, size: number): void;
  dictionaryBytes(
    data: number,
    starts: number,
    ends: number,
    count: number,
    width: number,
    slots: number,
    bits: number,
    keys: number,
    entryStarts: number,
    entryEnds: number,
    copies: number,
    room: number,
    longest: number,
    most: number,
    indexes: number,
    state: number,
  ): number;
  rehashBytes(
    slots: number,
    bits: number,
    keys: number,
    entryStarts: number,
    entryEnds: number,
    size: number,
  ): void;

  countRepeats(indexes: number, count: number): number;
  runLength(indexes: number, from: number, count: number): number;
  pack(indexes: number, from: number, end: number, width: number, out: number): void;
  markUsed(indexes: number, count: number, used: number, page: number): void;
  sumLengths(starts: number, ends: number, count: number): number;
  plainBytes(data: number, starts: number, ends: number, count: number, out: number): number;
  plainTails(data: number, ends: number, count: number, width: number, out: number): void;
  narrow(values: number, count: number, out: number): void;
  countOnes(bytes: number, from: number, end: number): number;

  extremesSigned32(values: number, count: number, state: number): void;
  extremesUnsigned32(values: number, count: number, state: number): void;
  extremesSigned64(values: number, count: number, state: number): void;
  extremesUnsigned64(values: number, count: number, state: number): void;
  extremesBytes(data: number, starts: number, ends: number, count: number, state: number): void;
}
