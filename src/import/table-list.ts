import { ComportaError, messageOf } from '../errors';
import { csvRows } from './csv';

/** What a table is called in an object or a CSV that lists tables, by preference. */
const NAMES = ['nome_tabela', 'tabela', 'table_name', 'table', 'nome', 'name'];

/**
 * The tables of the old system: from `airflow variables export` (or any JSON that holds a list), from
 * a CSV, or one per line.
 * @param variable which of the exported variables. Needed where several hold a list.
 * @throws ComportaError ConfigurationInvalid where there is none, or more than one.
 */
export function tableList(text: string, variable?: string): readonly string[] {
  const names = IS_JSON.test(text) ? ofJson(json(text), variable) : listed(text);
  const found = [...new Set(names.map((name) => name.trim()).filter((name) => name !== ''))];
  if (found.length > 0) return found;
  throw new ComportaError('ConfigurationInvalid', 'the list names no table', {
    remedy: 'check that the export is whole',
  });
}

const IS_JSON = /^\s*[[{]/;

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ComportaError('ConfigurationInvalid', `the list is no JSON: ${messageOf(error)}`, {
      remedy: 'give it as `airflow variables export` writes it, as a CSV, or a name per line',
    });
  }
}

/** A value that was exported may be JSON once more; undefined for one that is not. */
function parsed(value: unknown): unknown {
  if (typeof value !== 'string' || !IS_JSON.test(value)) return undefined;
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

function ofJson(json: unknown, variable: string | undefined): readonly string[] {
  const whole = listOf(json);
  if (whole !== undefined && variable === undefined) return whole;
  const lists = Object.entries(json as Record<string, unknown>).flatMap(([name, value]) => {
    const list = listOf(parsed(value) ?? value) ?? (name === variable ? divided(value) : undefined);
    return list === undefined ? [] : [[name, list] as const];
  });
  const chosen = lists.filter(([name]) => variable === undefined || name === variable);
  const [only] = chosen;
  if (only !== undefined && chosen.length === 1) return only[1];
  const names = lists.map(([name]) => name).join(', ');
  throw new ComportaError(
    'ConfigurationInvalid',
    chosen.length > 1
      ? `several variables hold a list: ${names}`
      : `there is no list of tables${variable === undefined ? '' : ` in the variable "${variable}"`}`,
    { remedy: names === '' ? 'give a list of names' : `name one by --variable (${names})` },
  );
}

/** A text with commas or lines, which is a list where somebody says so; undefined for anything else. */
function divided(value: unknown): readonly string[] | undefined {
  return typeof value === 'string' ? value.split(/[,;\n]/) : undefined;
}

/** Names, or objects with a name; undefined for anything else. An object's list may lie one level below. */
function listOf(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const names = value.map((item: unknown) => (typeof item === 'string' ? item : nameIn(item)));
  return names.every((name) => name !== undefined) ? names : undefined;
}

function nameIn(item: unknown): string | undefined {
  if (typeof item !== 'object' || item === null) return undefined;
  const values = NAMES.map((name) => (item as Record<string, unknown>)[name]);
  return values.find((value): value is string => typeof value === 'string');
}

function listed(text: string): readonly string[] {
  const [first = ''] = text.split('\n', 1);
  const isTable = /[,;\t]/.test(first) || NAMES.includes(first.trim());
  if (!isTable) return text.split('\n').filter((line) => !line.trimStart().startsWith('#'));
  const rows = csvRows(text);
  const [head] = rows;
  if (head === undefined) return [];
  const column = NAMES.find((name) => name in head);
  if (column !== undefined) return rows.map((row) => row[column] ?? '');
  throw new ComportaError('ConfigurationInvalid', 'no column of the file names tables', {
    remedy: `call it one of ${NAMES.join(', ')}`,
  });
}
