/**
 * The loops that see every value of a table, compiled to WebAssembly: 2.5 to 4 times as fast as
 * the same loops in JavaScript, because 64-bit integers, unaligned loads and shifts are what the
 * machine has (docs/columns.md, "Kernels"). They know pointers and counts only; memory is given
 * out by src/columnar/kernels/memory.ts, and each has a slow twin in the tests.
 */
export * from './dictionary';
export * from './extremes';
export * from './levels';
export * from './pages';
export * from './fields';
export * from './mysql';
export * from './postgres';
