import { createRandom, type Random } from './random';
import type { SampleTable } from './table';
import {
  dateText,
  decimalText,
  durationText,
  mailName,
  momentText,
  personName,
  sampleDays,
  uuidText,
} from './values';
import { cities, streets, userAgents } from './vocabulary';

export const customerCount = 15_000;
export const addressCount = 18_000;
const sessionCount = 10_000;

/** Whose address it is: everybody has one, some have a second. */
export function customerOfAddress(address: number): number {
  return ((address - 1) % customerCount) + 1;
}

export const customers: SampleTable = {
  name: 'customers',
  definition: `
    CREATE TABLE customers (
      id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
      external_id CHAR(36) CHARACTER SET ascii NOT NULL UNIQUE,
      name VARCHAR(100) NOT NULL,
      email VARCHAR(120) NOT NULL,
      cpf CHAR(11) NOT NULL COMMENT 'taxpayer number, made up',
      born DATE,
      gender ENUM('feminino','masculino','outro',''),
      credit_limit DECIMAL(10,2) NOT NULL DEFAULT 0,
      loyalty_points MEDIUMINT UNSIGNED NOT NULL DEFAULT 0,
      newsletter BIT(1) NOT NULL DEFAULT b'0',
      preferences JSON,
      created_at DATETIME(6) NOT NULL,
      last_seen TIMESTAMP(3) NULL
    )`,
  columns: [
    'id',
    'external_id',
    'name',
    'email',
    'cpf',
    'born',
    'gender',
    'credit_limit',
    'loyalty_points',
    'newsletter',
    'preferences',
    'created_at',
    'last_seen',
  ],
  *rows() {
    const random = createRandom('customers');
    for (let id = 1; id <= customerCount; id++) {
      const name = personName(random);
      const day = random.integer(0, sampleDays);
      yield [
        id,
        uuidText(random),
        name,
        `${mailName(name)}.${id}@exemplo.com.br`,
        random.digits(11),
        random.chance(0.15) ? null : dateText(-random.integer(6_600, 29_000)),
        random.chance(0.1) ? null : random.pick(['feminino', 'masculino', 'outro', '']),
        decimalText(random.integer(0, 2_000_000), 2),
        random.integer(0, 16_777_215),
        Buffer.from([random.integer(0, 1)]),
        random.chance(0.6)
          ? null
          : JSON.stringify({ idioma: 'pt-BR', avisos: [random.chance(0.5)] }),
        momentText(random, day),
        random.chance(0.3) ? null : momentText(random, day + random.integer(0, 200)).slice(0, -3),
      ];
    }
  },
};

export const addresses: SampleTable = {
  name: 'addresses',
  definition: `
    CREATE TABLE addresses (
      id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
      customer_id BIGINT UNSIGNED NOT NULL,
      kind ENUM('entrega','cobrança') NOT NULL,
      street VARCHAR(120) NOT NULL,
      complement VARCHAR(40),
      city VARCHAR(60) NOT NULL,
      state CHAR(2) NOT NULL,
      postal_code CHAR(9) NOT NULL,
      location POINT,
      FOREIGN KEY (customer_id) REFERENCES customers (id)
    )`,
  columns: [
    'id',
    'customer_id',
    'kind',
    'street',
    'complement',
    'city',
    'state',
    'postal_code',
    'location',
  ],
  *rows() {
    const random = createRandom('addresses');
    for (let id = 1; id <= addressCount; id++) {
      const [city, state, longitude, latitude] = random.pick(cities);
      yield [
        id,
        customerOfAddress(id),
        id <= customerCount ? 'entrega' : 'cobrança',
        `${random.pick(streets)}, ${random.integer(1, 3_000)}`,
        random.chance(0.5) ? null : `ap. ${random.integer(1, 220)}`,
        city,
        state,
        `${random.digits(5)}-${random.digits(3)}`,
        random.chance(0.1) ? null : point(nearby(random, longitude), nearby(random, latitude)),
      ];
    }
  },
};

export const sessions: SampleTable = {
  name: 'sessions',
  definition: `
    CREATE TABLE sessions (
      token BINARY(16) NOT NULL PRIMARY KEY,
      customer_id BIGINT UNSIGNED,
      user_agent VARCHAR(255) NOT NULL,
      remote_address VARBINARY(16) NOT NULL,
      started_at DATETIME(6) NOT NULL,
      duration TIME NOT NULL,
      pages SMALLINT UNSIGNED NOT NULL,
      scroll_depth DOUBLE,
      FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE SET NULL
    )`,
  columns: [
    'token',
    'customer_id',
    'user_agent',
    'remote_address',
    'started_at',
    'duration',
    'pages',
    'scroll_depth',
  ],
  *rows() {
    const random = createRandom('sessions');
    for (let row = 0; row < sessionCount; row++)
      yield [
        random.bytes(16),
        random.chance(0.4) ? null : random.integer(1, customerCount),
        random.pick(userAgents),
        random.bytes(random.chance(0.3) ? 16 : 4),
        momentText(random, random.integer(0, sampleDays)),
        durationText(random.integer(0, 7_200)),
        random.integer(1, 65_535),
        random.chance(0.2) ? null : random.integer(0, 2 ** 31) / 2 ** 31,
      ];
  },
};

function nearby(random: Random, degrees: number): number {
  return degrees + (random.integer(0, 10_000) - 5_000) / 100_000;
}

/**
 * A point as MySQL keeps it: the reference system's number, then well-known binary, all
 * little-endian (MySQL manual, "Internal Geometry Storage Format").
 */
function point(x: number, y: number): Buffer {
  const bytes = Buffer.alloc(25);
  bytes[4] = 1;
  bytes.writeUInt32LE(1, 5);
  bytes.writeDoubleLE(x, 9);
  bytes.writeDoubleLE(y, 17);
  return bytes;
}
