import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { TYPES_DOC, typesDocument } from '../../scripts/generate-types-doc';
import { DESTINATION_TYPES } from '../../src/destinations/types';
import { MYSQL_TYPES } from '../../src/sources/mysql/types';
import { POSTGRES_TYPES } from '../../src/sources/postgres/types';

/** `int8, uint8` as its parts; `decimal(p,s), p ≤ 9` as `decimal(p,s)`. */
function logicalNames(cell: string): string[] {
  return cell.match(/[a-z_]+\d*(\(p,s\))?(?=,|$)/g) ?? [];
}

describe('docs/types.md', () => {
  it('is what the code maps (npx tsx scripts/generate-types-doc.ts)', async () => {
    assert.equal(await readFile(TYPES_DOC, 'utf8'), await typesDocument());
  });

  it('leads from each source type to a row of the lake', () => {
    const lake = new Set(DESTINATION_TYPES.flatMap(({ logicalType }) => logicalNames(logicalType)));
    for (const { sourceType, logicalType } of [...MYSQL_TYPES, ...POSTGRES_TYPES]) {
      const names = logicalNames(logicalType);
      assert.ok(names.length > 0, `${sourceType} has no logical type`);
      for (const name of names) assert.ok(lake.has(name), `${sourceType}: the lake has no ${name}`);
    }
  });
});
