import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { generatedFiles } from '../../scripts/generate-schema';
import { parseDuration } from '../../src/pipeline/duration';
import { publishedSchemas, type JsonSchema } from '../../src/pipeline/published-schema';

const ROOT = path.resolve(__dirname, '../..');

/** Every key of a schema with its own schema, by its path. */
function keys(schema: JsonSchema, at = ''): readonly (readonly [string, JsonSchema])[] {
  const inside =
    typeof schema.additionalProperties === 'object' ? [schema.additionalProperties] : [];
  return [
    ...Object.entries(schema.properties ?? {}).flatMap(([key, value]) => [
      [`${at}.${key}`, value] as const,
      ...keys(value, `${at}.${key}`),
    ]),
    ...[...(schema.oneOf ?? []), ...inside].flatMap((one) => keys(one, at)),
  ];
}

describe('the published schemas', () => {
  it('and the tables of the manual are those of the code (npx tsx scripts/generate-schema.ts)', async () => {
    for (const [file, content] of Object.entries(await generatedFiles())) {
      assert.equal(await readFile(path.join(ROOT, file), 'utf8'), content, `${file} is stale`);
    }
  });

  for (const [file, schema] of Object.entries(publishedSchemas())) {
    it(`${file} describes every key and takes no others`, () => {
      const all = keys(schema);
      assert.ok(all.length > 20);
      for (const [at, key] of all) {
        assert.ok(
          key.description !== undefined && key.description.length > 5,
          `${at} has no description`,
        );
        if (key.properties !== undefined) assert.equal(key.additionalProperties, false, at);
      }
    });

    it(`${file} has defaults of the right form`, () => {
      for (const [at, { title, default: value }] of keys(schema)) {
        if (value === undefined || !(title ?? '').startsWith('duration')) continue;
        assert.ok(value === 0 || (typeof value === 'string' && parseDuration(value) > 0), at);
      }
    });
  }

  it('are named at the top of every example', async () => {
    for (const [name, schema] of [
      ['connections', 'connections'],
      ['sales', 'pipeline'],
      ['finance', 'pipeline'],
      ['slmandic', 'project'],
    ] as const) {
      const text = await readFile(path.join(ROOT, 'pipelines', `${name}.yaml`), 'utf8');
      assert.ok(
        text.startsWith(`# yaml-language-server: $schema=../schema/${schema}.schema.json\n`),
      );
    }
  });
});
