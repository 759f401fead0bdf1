import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { missingOptionals, type LockedPackages } from '../../scripts/missing-optionals';

describe('package-lock.json', () => {
  it('has the optional packages of every platform, without which npm ci refuses it', () => {
    const text = readFileSync(resolve(__dirname, '../../package-lock.json'), 'utf8');
    const { packages } = JSON.parse(text) as { packages: LockedPackages };
    assert.deepEqual(
      missingOptionals(packages).map(({ path }) => path),
      [],
      'run: npx tsx scripts/complete-lock-file.ts',
    );
  });

  it('names no address to download from', () => {
    const text = readFileSync(resolve(__dirname, '../../package-lock.json'), 'utf8');
    assert.doesNotMatch(text, /"resolved"/);
  });

  it('is found incomplete at the top, and where another version took the place there', () => {
    const packages: LockedPackages = {
      '': {},
      'node_modules/a': { optionalDependencies: { binary: '1.0.0', other: '1.0.0' } },
      'node_modules/old': { optionalDependencies: { other: '^0.9.0-beta.1' } },
      'node_modules/other': { version: '1.0.0' },
    };
    assert.deepEqual(
      missingOptionals(packages).map(({ path, version }) => [path, version]),
      [
        ['node_modules/binary', '1.0.0'],
        ['node_modules/old/node_modules/other', '0.9.0-beta.1'],
      ],
    );
  });
});
