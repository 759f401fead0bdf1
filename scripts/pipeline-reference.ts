import type { JsonSchema } from '../src/pipeline/published-schema';

/** The keys of one mapping. */
interface Section {
  /** Where it stands: `overrides.<pattern>.cursor`; empty for the top level. */
  readonly path: string;
  /** Which of several forms, such as `type: mysql`. */
  readonly form?: string;
  readonly schema: JsonSchema;
}

const code = (value: unknown): string =>
  `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;

const oneOf = (values: readonly unknown[]): string =>
  [...new Set(values.map((value) => code(String(value))))].join(', ');

function kind(schema: JsonSchema): string {
  if (schema.const !== undefined) return code(schema.const);
  if (schema.enum !== undefined) return oneOf(schema.enum);
  if (schema.items !== undefined) return `list of ${kind(schema.items)}s`;
  if (schema.title !== undefined) return schema.title;
  if (schema.propertyNames !== undefined) return `mapping by ${kind(schema.propertyNames)}`;
  if (schema.type === 'boolean') return oneOf([true, false]);
  return schema.properties !== undefined || schema.oneOf !== undefined
    ? 'mapping'
    : (schema.type ?? '');
}

function fallback(schema: JsonSchema, required: boolean): string {
  if (required) return 'required';
  return schema.default === undefined ? '' : code(schema.default);
}

function table({ path, form, schema }: Section): string {
  const heading = [
    path === '' ? 'Top level' : code(path),
    ...(form === undefined ? [] : [code(form)]),
  ];
  const rows = Object.entries(schema.properties ?? {}).map(([key, value]) => {
    const required = schema.required?.includes(key) ?? false;
    const cells = [code(key), kind(value), fallback(value, required), value.description ?? ''];
    return `| ${cells.join(' | ').replaceAll('\n', ' ')} |`;
  });
  const head = ['| key | value | default | meaning |', '| --- | --- | --- | --- |'];
  return [`#### ${heading.join(', ')}`, '', ...head, ...rows].join('\n');
}

/** The mapping and those below it, in the order of the file. */
function sections(path: string, schema: JsonSchema, form?: string): readonly Section[] {
  if (schema.oneOf !== undefined) {
    return schema.oneOf.flatMap((option) => {
      const said = Object.entries(option.properties ?? {}).find(
        ([, value]) => value.const !== undefined,
      );
      const [key, word] = [said?.[0] ?? '', said?.[1].const];
      return sections(path, option, typeof word === 'string' ? `${key}: ${word}` : undefined);
    });
  }
  if (typeof schema.additionalProperties === 'object') {
    const name = schema.propertyNames === undefined ? 'name' : kind(schema.propertyNames);
    return sections(`${path}.<${name}>`, schema.additionalProperties);
  }
  if (schema.properties === undefined) return [];
  const below = Object.entries(schema.properties).flatMap(([key, value]) =>
    sections(path === '' ? key : `${path}.${key}`, value),
  );
  return [{ path, schema, ...(form === undefined ? {} : { form }) }, ...below];
}

/** The keys and what they mean, without their defaults: equal for `defaults` and `overrides`. */
const substance = ({ schema }: Section): string =>
  JSON.stringify(
    Object.entries(schema.properties ?? {}).map(([key, { description }]) => [key, description]),
  );

/** Every key of a file in Markdown: what it takes, what holds without it, what it means. */
export function reference(schema: JsonSchema): string {
  const seen = new Set<string>();
  return sections('', schema)
    .filter((section) => {
      const known = seen.has(substance(section));
      seen.add(substance(section));
      return !known;
    })
    .map(table)
    .join('\n\n');
}
