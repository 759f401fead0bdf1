import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { createMasker } from '../../src/pipeline/mask';
import type { Mask } from '../../src/pipeline/pipeline';
import { localSecretStore } from '../../src/pipeline/secrets';

const KEY = { from: 'env', name: 'MASK_KEY' } as const;
const secrets = localSecretStore({ MASK_KEY: 'k3y', EMPTY: '' });

async function masked(mask: Mask, value: string): Promise<string> {
  return (await createMasker(mask, secrets))(Buffer.from(value)).toString();
}

describe('masks', () => {
  it('hash with a salt', async () => {
    const expected = createHash('sha256').update('k3ya@b.c').digest('hex');
    assert.equal(await masked({ method: 'sha256', salt: KEY }, 'a@b.c'), expected);
  });

  it('hash under a key, the same for every value that is the same', async () => {
    const expected = createHmac('sha256', 'k3y').update('a@b.c').digest('hex');
    const masker = await createMasker({ method: 'hmac', key: KEY }, secrets);
    assert.equal(masker(Buffer.from('a@b.c')), expected);
    assert.equal(masker(Buffer.from('a@b.c')), expected);
  });

  for (const [value, keepStart, keepEnd, expected] of [
    ['4111111111111111', 0, 4, '************1111'],
    ['maria@example.com', 1, 4, 'm************.com'],
    ['abc', 2, 2, '***'],
    ['abcd', 2, 2, '****'],
    ['abcde', 2, 2, 'ab*de'],
    ['ação😀x', 1, 2, 'a***😀x'],
    ['abc', 0, 0, '***'],
    ['', 1, 1, ''],
  ] as const) {
    it(`keep ${keepStart} and ${keepEnd} characters of ${JSON.stringify(value)}`, async () => {
      assert.equal(await masked({ method: 'partial', keepStart, keepEnd }, value), expected);
    });
  }

  it('keep the number of characters, and no more than the ends', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'binary', maxLength: 20 }),
        fc.nat(10),
        fc.nat(10),
        async (value, keepStart, keepEnd) => {
          const result = [...(await masked({ method: 'partial', keepStart, keepEnd }, value))];
          const original = [...value];
          assert.equal(result.length, original.length);
          const shown = original.length > keepStart + keepEnd ? keepStart + keepEnd : 0;
          const hidden = result.filter((character) => character === '*').length;
          assert.ok(hidden >= original.length - shown);
        },
      ),
      { seed: 6 },
    );
  });

  it('redact to one text', async () => {
    assert.equal(await masked({ method: 'redact', text: '***' }, 'anything'), '***');
  });

  for (const name of ['ABSENT', 'EMPTY']) {
    it(`are refused when their secret is ${name.toLowerCase()}`, async () => {
      await assert.rejects(
        createMasker({ method: 'hmac', key: { from: 'env', name } }, secrets),
        (error: Error) => error.message.includes(`env:${name}`),
      );
    });
  }
});
