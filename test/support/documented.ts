import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A page of docs/, so that what it says is what is tested. */
export function documentText(page: string): string {
  return readFileSync(join(__dirname, '../../docs', page), 'utf8');
}

/** The SQL examples of a page that are marked with a word behind their language. */
export function sqlExamples(page: string, mark: string): string[] {
  const blocks = page.matchAll(/^ *```sql (.*)\n([^]*?)\n *```$/gm);
  const marked = [...blocks].filter(([, marks]) => marks?.split(' ').includes(mark));
  assert.ok(marked.length > 0, `no example is marked ${mark}`);
  return marked.map(([, , sql]) => sql ?? '');
}

export interface DocumentedUser {
  readonly user: string;
  readonly password: string;
  /** The database, or the schema of PostgreSQL, that it may read. */
  readonly reads: string;
}

/** Makes a user with exactly the rights of docs/operating.md, statement by statement. */
export async function createDocumentedUser(
  system: 'mysql' | 'mariadb' | 'postgres',
  { user, password, reads }: DocumentedUser,
  run: (statement: string) => Promise<unknown>,
): Promise<void> {
  const [example = ''] = sqlExamples(documentText('operating.md'), `rights-${system}`);
  const statements = example
    .replaceAll(/^--.*$/gm, '')
    .replaceAll(/\bcomporta\b/g, user)
    .replaceAll(/\bshop\b/g, reads)
    .replace('…', password)
    .split(';');
  for (const statement of statements) if (statement.trim() !== '') await run(statement);
}
