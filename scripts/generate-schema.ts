/**
 * Writes what follows from the schemas in src/pipeline: the JSON Schemas in schema/ and the tables
 * of docs/pipelines.md. Run `npx tsx scripts/generate-schema.ts` after changing them.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { format } from 'prettier';
import { publishedSchemas } from '../src/pipeline/published-schema';
import { reference } from './pipeline-reference';

const ROOT = path.resolve(__dirname, '..');

/** Puts new text between `<!-- generated: NAME -->` and `<!-- /generated -->`. */
function replaceGenerated(document: string, name: string, text: string): string {
  const begin = `<!-- generated: ${name} -->`;
  const end = '<!-- /generated -->';
  const from = document.indexOf(begin);
  const to = document.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error(`docs/pipelines.md has no place for ${name}`);
  return `${document.slice(0, from + begin.length)}\n\n${text}\n\n${document.slice(to)}`;
}

/** The content that each generated file should have, by its path from the project's root. */
export async function generatedFiles(): Promise<Readonly<Record<string, string>>> {
  const schemas = publishedSchemas();
  let manual = await readFile(path.join(ROOT, 'docs/pipelines.md'), 'utf8');
  const files: Record<string, string> = {};
  for (const [name, schema] of Object.entries(schemas)) {
    files[`schema/${name}`] = `${JSON.stringify(schema, null, 2)}\n`;
    // The keys of a project file are those of the other two.
    if (name !== 'project.schema.json') manual = replaceGenerated(manual, name, reference(schema));
  }
  files['docs/pipelines.md'] = await format(manual, {
    parser: 'markdown',
    singleQuote: true,
    printWidth: 100,
  });
  return files;
}

async function main(): Promise<void> {
  for (const [file, content] of Object.entries(await generatedFiles())) {
    await mkdir(path.dirname(path.join(ROOT, file)), { recursive: true });
    await writeFile(path.join(ROOT, file), content);
  }
}

if (require.main === module) void main();
