/**
 * Compiles kernels/ to WebAssembly, which the sources load from src/columnar/kernels/kernels.wasm.
 * It needs no compiler but AssemblyScript's, which is a package like any other.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';

const output = ['src', 'columnar', 'kernels', 'kernels.wasm'];

/** Whether the compiled kernels are newer than their sources and the compiler. */
export function kernelsAreFresh(root) {
  const folder = join(root, 'kernels');
  const compiled = join(root, ...output);
  if (!existsSync(folder)) return true;
  if (!existsSync(compiled)) return false;
  const sources = [
    ...readdirSync(folder).map((name) => join(folder, name)),
    join(root, 'scripts', 'kernels.mjs'),
    join(root, 'node_modules', 'assemblyscript', 'package.json'),
  ];
  return sources.every((path) => statSync(path).mtimeMs < statSync(compiled).mtimeMs);
}

/** Compiles; returns what went wrong, if anything. */
export function compileKernels(root) {
  const compiled = join(root, ...output);
  // Another process may read the file meanwhile.
  const unfinished = `${compiled}.${process.pid}`;
  const { error, status, stderr } = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules', 'assemblyscript', 'bin', 'asc.js'),
      join('kernels', 'index.ts'),
      ...['--outFile', unfinished],
      ...['--optimizeLevel', '3', '--noAssert', '--runtime', 'stub', '--importMemory'],
      ...['--initialMemory', '16384', '--maximumMemory', '16384'],
      ...['--enable', 'simd', '--enable', 'bulk-memory'],
      // Nothing lies in the kernels' memory but what they are given.
      ...['--memoryBase', '1024'],
    ],
    { cwd: root, encoding: 'utf8' },
  );
  if (error !== undefined) return error.message;
  if (status !== 0) return stderr;
  renameSync(unfinished, compiled);
  return undefined;
}
