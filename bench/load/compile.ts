import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';

const ROOT = join(__dirname, '../..');
const OUTPUT = join(ROOT, '.comporta/bench');

/**
 * Compiles src/ and bench/ as they are now, types unchecked, so that a contender starts as fast as
 * the deployed worker and an edit during the benchmark changes nothing.
 * @returns path of the compiled form of a file of bench/load.
 */
export function compile(): (file: string) => string {
  rmSync(OUTPUT, { recursive: true, force: true });
  for (const folder of ['src', 'bench', 'scripts/services']) compileFolder(folder);
  // Of the tests' helpers the one that contenders share with them.
  compileFile('test/support/table-settings.ts');
  copyFileSync(join(ROOT, 'package.json'), join(OUTPUT, 'package.json'));
  return (file) => join(OUTPUT, 'bench/load', file);
}

function compileFolder(folder: string): void {
  mkdirSync(join(OUTPUT, folder), { recursive: true });
  for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) compileFolder(path);
    else if (path.endsWith('.d.ts')) continue;
    else if (path.endsWith('.ts')) compileFile(path);
    else copyFileSync(join(ROOT, path), join(OUTPUT, path));
  }
}

function compileFile(path: string): void {
  const { outputText } = transpileModule(readFileSync(join(ROOT, path), 'utf8'), {
    fileName: join(ROOT, path),
    compilerOptions: {
      target: ScriptTarget.ES2023,
      module: ModuleKind.CommonJS,
      esModuleInterop: true,
      resolveJsonModule: true,
    },
  });
  const output = join(OUTPUT, path.replace(/\.ts$/, '.js'));
  mkdirSync(dirname(output), { recursive: true });
  writeFileSync(output, outputText);
}
