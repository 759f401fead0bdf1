import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { oldRows } from '../../src/import/old-rows';

describe('an export of an old Historico_Execucao', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'comporta-export-'));
  });
  after(() => rm(folder, { recursive: true }));

  const rowsOf = async (content: string | Buffer) => {
    const file = join(folder, 'export');
    await writeFile(file, content);
    return oldRows(file, undefined);
  };

  it('is a JSON list, an object per line, or a CSV', async () => {
    const rows = [{ nome_tabela: 'ações' }, { nome_tabela: 'b' }];
    for (const content of [
      JSON.stringify(rows),
      rows.map((row) => JSON.stringify(row)).join('\n'),
      'nome_tabela\nações\nb\n',
      '\uFEFFnome_tabela\r\nações\r\nb\r\n',
    ]) {
      assert.deepEqual(await rowsOf(content), rows);
    }
  });

  const mistakes: readonly (readonly [string, string | Buffer, RegExp])[] = [
    ['an empty file', '', /there are no rows/],
    ['a header alone', 'nome_tabela,data_execucao\n', /there are no rows/],
    ['an empty list', '[]', /there are no rows/],
    ['a list that is cut short', '[{"nome_tabela": "a"}', /in JSON.* — give a JSON list/],
    ['a list of numbers', '[1, null]', /1 is no object — give a JSON list/],
    ['a line that is no object', '{"nome_tabela": "a"}\nnull', /null is no object/],
    ['Latin-1', Buffer.from('nome_tabela\nações\n', 'latin1'), /no text in UTF-8 — save it/],
    ['UTF-16', Buffer.from('\uFEFFnome_tabela\na\n', 'utf16le'), /no text in UTF-8/],
  ];
  for (const [what, content, message] of mistakes) {
    it(`is not ${what}`, () =>
      assert.rejects(rowsOf(content), { code: 'ConfigurationInvalid', message }));
  }

  it('is named by a path, or by the three names of a table of BigQuery', async () => {
    await assert.rejects(oldRows(join(folder, 'absent'), undefined), /absent cannot be read/);
    for (const from of ['bigquery:project.table', 'bigquery:project:dataset.table', 'bigquery:']) {
      await assert.rejects(
        oldRows(from, undefined),
        /names no table — write bigquery:PROJECT\.DATASET\.TABLE/,
      );
    }
  });
});
