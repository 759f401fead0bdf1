import assert from 'node:assert/strict';
import { matchTable } from '../../src/import/match';
import { tableList } from '../../src/import/table-list';

describe("another system's list of tables", () => {
  it('is taken from exported Airflow variables, which may hold JSON as text', () => {
    const variables = {
      bucket: 'b',
      tabelas: '["alunos", "cursos", "alunos"]',
      config: { retries: 2 },
    };
    assert.deepEqual(tableList(JSON.stringify(variables)), ['alunos', 'cursos']);
    const objects = { lista: [{ nome_tabela: 'a', linhas: 1 }, { nome_tabela: 'b' }] };
    assert.deepEqual(tableList(JSON.stringify(objects)), ['a', 'b']);
  });

  it('is asked for by name where several variables hold a list', () => {
    const variables = JSON.stringify({ tabelas: ['a'], emails: ['x@y'] });
    assert.throws(() => tableList(variables), /several variables hold a list: tabelas, emails/);
    assert.deepEqual(tableList(variables, 'tabelas'), ['a']);
    assert.throws(
      () => tableList(variables, 'tables'),
      /no list of tables in the variable "tables"/,
    );
    assert.throws(() => tableList('{"a": 1}'), /there is no list of tables/);
  });

  it('is a text with commas or lines where the variable is named', () => {
    const variables = JSON.stringify({ tabelas: 'alunos, cursos\nnotas', modelo: '{{ ds }}' });
    assert.deepEqual(tableList(variables, 'tabelas'), ['alunos', 'cursos', 'notas']);
    assert.throws(() => tableList(variables), /there is no list of tables/);
  });

  it('is refused where it is cut short, or names nothing', () => {
    assert.throws(() => tableList('{"tabelas": "[]'), {
      code: 'ConfigurationInvalid',
      message: /is no JSON: .*airflow variables export/,
    });
    for (const empty of ['', '\n# none\n', '[]', '{"tabelas": "[]"}', 'tabela\n']) {
      assert.throws(() => tableList(empty), /the list names no table/);
    }
  });

  it('is a JSON list, a CSV, or a name per line', () => {
    assert.deepEqual(tableList('["a", "b"]'), ['a', 'b']);
    assert.deepEqual(tableList('tabela;dono\na;x\nb;y\n'), ['a', 'b']);
    assert.deepEqual(tableList('tabela\na\n'), ['a']);
    assert.deepEqual(tableList('# the old list\na\r\n\n b \n'), ['a', 'b']);
    assert.throws(() => tableList('x,y\n1,2\n'), /no column of the file names tables/);
  });

  it('is matched with tables by name, without a schema and without letter case if need be', () => {
    const ids = ['alunos', 'Cursos', 'cursos', 'Notas'];
    const names = ['alunos', 'slmandic.alunos', 'cursos', 'CURSOS', 'notas', 'dbo.NOTAS', 'x'];
    assert.deepEqual(
      names.map((name) => matchTable(name, ids)),
      ['alunos', 'alunos', 'cursos', undefined, 'Notas', 'Notas', undefined],
    );
  });
});
