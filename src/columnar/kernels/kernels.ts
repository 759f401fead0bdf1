import type { DecodeKernels } from './decode-kernels';

/**
 * What kernels/ exports. Arguments are addresses in a `KernelMemory`, counts and sizes; what they
 * do is said there.
 */
export interface Kernels extends DecodeKernels {
  dictionary32(
    this: void,
    values: number,
    count: number,
    slots: number,
    bits: number,
    entries: number,
    most: number,
    indexes: number,
    state: number,
  ): number;
  rehash32(this: void, slots: number, bits: number, entries: number, size: number): void;
  dictionary64(
    this: void,
    values: number,
    count: number,
    slots: number,
    bits: number,
    entries: number,
    most: number,
    indexes: number,
    state: number,
  ): number;
  rehash64(this: void, slots: number, bits: number, entries: number, size: number): void;
  dictionaryBytes(
    this: void,
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
    this: void,
    slots: number,
    bits: number,
    keys: number,
    entryStarts: number,
    entryEnds: number,
    size: number,
  ): void;

  packFlags(this: void, flags: number, count: number, out: number): void;
  levels(this: void, flags: number, count: number, out: number): number;
  countRepeats(this: void, indexes: number, count: number): number;
  runLength(this: void, indexes: number, from: number, count: number): number;
  pack(this: void, indexes: number, from: number, end: number, width: number, out: number): void;
  markUsed(this: void, indexes: number, count: number, used: number, page: number): void;
  gather32(this: void, values: number, indexes: number, count: number, out: number): void;
  gather64(this: void, values: number, indexes: number, count: number, out: number): void;
  sumLengths(this: void, starts: number, ends: number, count: number): number;
  plainBytes(
    this: void,
    data: number,
    starts: number,
    ends: number,
    count: number,
    out: number,
  ): number;
  plainTails(
    this: void,
    data: number,
    ends: number,
    count: number,
    width: number,
    out: number,
  ): void;
  narrow(this: void, values: number, count: number, out: number): void;
  countOnes(this: void, bytes: number, from: number, end: number): number;

  extremesSigned32(this: void, values: number, count: number, state: number): void;
  extremesUnsigned32(this: void, values: number, count: number, state: number): void;
  extremesSigned64(this: void, values: number, count: number, state: number): void;
  extremesUnsigned64(this: void, values: number, count: number, state: number): void;
  extremesBytes(
    this: void,
    data: number,
    starts: number,
    ends: number,
    count: number,
    state: number,
  ): void;
}
