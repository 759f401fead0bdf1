import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { LogicalType } from '../../../src/types/logical';
import { appendHex } from '../../../src/columnar/decode/bytes';
import { createTextDecoder } from '../../../src/columnar/decode/text-decoder';
import {
  BooleanVector,
  BytesVector,
  createVector,
  type Vector,
} from '../../../src/columnar/vectors';

const SEED = { seed: 20_240_229 };

function vectorOf(type: LogicalType): Vector {
  return createVector({ name: 'c', type, nullable: true, sourceType: 'test' });
}

/** What the vector holds after one text was decoded into it; undefined when it was refused. */
function decoded(type: LogicalType, text: string): unknown {
  const vector = vectorOf(type);
  const accepted = createTextDecoder(vector)(Buffer.from(text));
  assert.equal(vector.rows, accepted ? 1 : 0, 'a refused text must append nothing');
  if (!accepted) return undefined;
  if (vector instanceof BytesVector) return vector.data.subarray(0, vector.byteLength);
  if (vector instanceof BooleanVector) return vector.data[0] === 1;
  return vector.data[0];
}

const int = (bits: 8 | 16 | 32 | 64, signed = true): LogicalType => ({ kind: 'int', bits, signed });
const decimal = (precision: number, scale: number): LogicalType => ({
  kind: 'decimal',
  precision,
  scale,
});

function wide(bytes: unknown): bigint {
  assert(Buffer.isBuffer(bytes) && bytes.length === 16);
  return (bytes.readBigInt64BE(0) << 64n) + bytes.readBigUInt64BE(8);
}

function cases(type: LogicalType, table: Record<string, unknown>): void {
  for (const [text, expected] of Object.entries(table)) {
    assert.deepEqual(decoded(type, text), expected, `${type.kind} ${JSON.stringify(text)}`);
  }
}

describe('decode: integers', () => {
  it('reads the whole range of each width and refuses what lies outside', () => {
    cases(int(8), { '-128': -128, '127': 127, '0': 0, '-0': 0, '128': undefined });
    cases(int(8, false), { '255': 255, '256': undefined, '-1': undefined });
    cases(int(16), { '-32768': -32768, '32767': 32767, '32768': undefined });
    cases(int(32), { '-2147483648': -2147483648, '2147483647': 2147483647 });
    cases(int(32, false), { '4294967295': -1, '4294967296': undefined });
    cases(int(64), {
      '-9223372036854775808': -(2n ** 63n),
      '9223372036854775807': 2n ** 63n - 1n,
      '9223372036854775808': undefined,
    });
    cases(int(64, false), { '18446744073709551615': -1n, '18446744073709551616': undefined });
  });

  it('takes leading zeros, as ZEROFILL prints them', () => {
    cases(int(32, false), { '0000000042': 42 });
    cases(int(64, false), { '00000000000000000042': 42n });
  });

  it('refuses what is no integer', () => {
    for (const text of ['', '-', '1.0', '1e3', ' 1', '1 ', '+', 'abc', '--1']) {
      cases(int(32), { [text]: undefined });
      cases(int(64), { [text]: undefined });
    }
  });

  it('keeps any 64-bit integer', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        assert.equal(decoded(int(64), String(value)), value);
      }),
      SEED,
    );
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (value) => {
        assert.equal(BigInt.asUintN(64, decoded(int(64, false), String(value)) as bigint), value);
      }),
      SEED,
    );
  });
});

describe('decode: decimals', () => {
  it('reads up to 18 digits unscaled', () => {
    cases(decimal(5, 2), {
      '-123.45': -12345n,
      '0': 0n,
      '1': 100n,
      '1.5': 150n,
      '.5': 50n,
      '-.5': -50n,
      '999.99': 99999n,
      '1.500': 150n,
      '1.': 100n,
    });
    cases(decimal(18, 0), { '-999999999999999999': -999999999999999999n });
    cases(decimal(18, 18), { '0.000000000000000001': 1n });
  });

  it('rounds nothing and invents nothing', () => {
    for (const text of ['1000', '1.005', 'NaN', 'Infinity', '', '-', '.', '1e2', '1.2.3', '1,5']) {
      cases(decimal(5, 2), { [text]: undefined });
      cases(decimal(38, 2), {
        [text]: text === '1000' ? decoded(decimal(38, 2), '1000.0') : undefined,
      });
    }
    cases(decimal(38, 0), { ['1' + '0'.repeat(38)]: undefined });
  });

  it('keeps any decimal of 19 to 38 digits', () => {
    const nines = 10n ** 38n - 1n;
    assert.equal(wide(decoded(decimal(38, 0), String(-nines))), -nines);
    assert.equal(wide(decoded(decimal(38, 38), '-0.' + '9'.repeat(38))), -nines);
    fc.assert(
      fc.property(
        fc.bigInt({ min: -nines, max: nines }),
        fc.integer({ min: 0, max: 38 }),
        (unscaled, scale) => {
          const magnitude = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
          const split = magnitude.length - scale;
          const text = `${unscaled < 0n ? '-' : ''}${magnitude.slice(0, split)}${scale > 0 ? '.' + magnitude.slice(split) : ''}`;
          assert.equal(wide(decoded(decimal(38, scale), text)), unscaled);
        },
      ),
      SEED,
    );
  });
});

describe('decode: floating point', () => {
  it('reads numbers, exponents and the words', () => {
    cases(
      { kind: 'double' },
      {
        '1.7976931348623157e308': Number.MAX_VALUE,
        '5e-324': 5e-324,
        '-0': -0,
        '1E+5': 1e5,
        NaN: NaN,
        Infinity: Infinity,
        '-Infinity': -Infinity,
      },
    );
    for (const text of ['', ' 1', '0x10', 'one', '1e', '.', 'nano']) {
      cases({ kind: 'double' }, { [text]: undefined });
    }
  });

  it('keeps any number that was printed to round-trip', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (value) => {
        const text = Object.is(value, -0) ? '-0' : String(value);
        assert.equal(decoded({ kind: 'double' }, text), value);
      }),
      SEED,
    );
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        assert.equal(decoded({ kind: 'float' }, value.toPrecision(9)), value);
      }),
      SEED,
    );
  });
});

describe('decode: dates and times', () => {
  it('reads days near and far', () => {
    cases(
      { kind: 'date' },
      {
        '1970-01-01': 0,
        '1969-12-31': -1,
        '2024-02-29': 19782,
        '9999-12-31': 2932896,
        '0000-01-01': -719528,
        '0001-01-01': -719162,
        '0001-12-31 BC': -719163,
        '0001-01-01 BC': -719528,
        '4713-01-01 BC': -2440550,
        '-0001-01-01': -719893,
        '5874897-12-31': 2145042905,
      },
    );
  });

  it('refuses days that the calendar does not have', () => {
    for (const text of [
      '0000-00-00',
      '2024-00-00',
      '2024-01-00',
      '2024-02-30',
      '2023-02-29',
      '1900-02-29',
      '2024-13-01',
      'infinity',
      '-infinity',
      '2024-1-1',
      '2024-01-01 00:00:00',
      '24-01-01',
      '',
      '99999999-01-01',
    ]) {
      cases({ kind: 'date' }, { [text]: undefined });
    }
  });

  it('agrees with the calendar of JavaScript', () => {
    fc.assert(
      fc.property(fc.integer({ min: -719528, max: 2932896 }), (days) => {
        const text = new Date(days * 86_400_000).toISOString().slice(0, 10);
        assert.equal(decoded({ kind: 'date' }, text), days);
      }),
      SEED,
    );
  });

  it('reads timestamps to the microsecond, whatever the year', () => {
    for (const utc of [false, true]) {
      cases(
        { kind: 'timestamp', utc },
        {
          '1970-01-01 00:00:00': 0n,
          '1970-01-01 00:00:00.000001': 1n,
          '1969-12-31 23:59:59.999999': -1n,
          '2024-02-29T12:34:56.5Z': 1709210096500000n,
          '9999-12-31 23:59:59.999999': 253402300799999999n,
          '0001-01-01 00:00:00.000001': -62135596799999999n,
          '294246-12-31 23:59:59.999999': 9223371244799999999n,
          '4713-01-01 00:00:00 BC': -210863520000000000n,
          '2024-02-29 12:34:56+02': 1709202896000000n,
          '2024-02-29 12:34:56-03:30': 1709222696000000n,
          '1890-01-01 00:00:00.25+00:19:32': -2524522771750000n,
        },
      );
    }
    for (const text of [
      '0000-00-00 00:00:00',
      '2024-02-30 00:00:00',
      '2024-02-29 24:00:00',
      '2024-02-29 12:60:00',
      '2024-02-29 12:00',
      '2024-02-29 12:00:00.1234567',
      '2024-02-29 12:00:00.',
      '2024-02-29 12:00:00+',
      '2024-02-29 12:00:00+2',
      '2024-02-29 12:00:00+02:00:00:00',
      '2024-02-29 12:00:00x',
      '2024-02-29',
      'infinity',
      '-infinity',
      '',
      '294276-12-31 23:59:59.999999',
    ]) {
      cases({ kind: 'timestamp', utc: false }, { [text]: undefined });
    }
  });

  it('agrees with JavaScript on any millisecond and keeps the microseconds', () => {
    const from = Date.UTC(0, 0, 1) - 1900 * 31_556_952_000;
    const to = Date.UTC(9999, 11, 31);
    fc.assert(
      fc.property(
        fc.integer({ min: from, max: to }),
        fc.integer({ min: 0, max: 999 }),
        (millis, micros) => {
          const text = new Date(millis).toISOString().replace('Z', String(micros).padStart(3, '0'));
          const expected = BigInt(millis) * 1000n + BigInt(micros);
          assert.equal(decoded({ kind: 'timestamp', utc: true }, text), expected);
        },
      ),
      SEED,
    );
  });

  it('reads times within a day', () => {
    cases(
      { kind: 'time' },
      {
        '00:00:00': 0n,
        '23:59:59.999999': 86_399_999_999n,
        '12:34:56.7': 45_296_700_000n,
        '24:00:00': undefined,
        '12:34': undefined,
        '12:34:56.': undefined,
        '12:34:56+02': undefined,
        '-01:00:00': undefined,
      },
    );
  });

  it('reads spans beyond a day, negative ones too', () => {
    cases(
      { kind: 'duration' },
      {
        '838:59:59': 3_020_399_000_000n,
        '-838:59:59.000000': -3_020_399_000_000n,
        '-00:00:00.000001': -1n,
        '00:00:00': 0n,
        '-00:00:00': 0n,
        '12:60:00': undefined,
        '12:00': undefined,
        '12:00:00.1234567': undefined,
        ':00:00': undefined,
        '': undefined,
      },
    );
  });
});

describe('decode: bytes', () => {
  it('takes text as it is', () => {
    cases({ kind: 'text' }, { '': Buffer.alloc(0), 'naïve 😀': Buffer.from('naïve 😀') });
  });

  it('reads UUIDs into 16 bytes', () => {
    cases(
      { kind: 'uuid' },
      {
        '00112233-4455-6677-8899-aabbccddeeff': Buffer.from(
          '00112233445566778899aabbccddeeff',
          'hex',
        ),
        'FFEEDDCC-BBAA-9988-7766-554433221100': Buffer.from(
          'ffeeddccbbaa99887766554433221100',
          'hex',
        ),
        '00112233445566778899aabbccddeeff': undefined,
        '0011223-34455-6677-8899-aabbccddeeff': undefined,
        'g0112233-4455-6677-8899-aabbccddeeff': undefined,
      },
    );
  });

  it('reads hexadecimal after a prefix', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const vector = vectorOf({ kind: 'binary' }) as BytesVector;
        assert(appendHex(vector, Buffer.from('\\x' + Buffer.from(bytes).toString('hex')), 2));
        assert.deepEqual(vector.data.subarray(0, vector.byteLength), Buffer.from(bytes));
      }),
      SEED,
    );
    const vector = vectorOf({ kind: 'binary' }) as BytesVector;
    for (const text of ['\\x0', '\\x0g', '\\']) {
      assert.equal(appendHex(vector, Buffer.from(text), 2), false, text);
    }
    assert.equal(vector.rows, 0);
  });

  it('reads booleans', () => {
    cases(
      { kind: 'boolean' },
      { t: true, f: false, '1': true, '0': false, true: true, yes: undefined },
    );
  });
});
