import { createRandom, type Random } from './random';
import type { SampleTable } from './table';
import { decimalText, momentText, sampleDays } from './values';
import { departments, qualities, remarks } from './vocabulary';

export const productCount = 1_200;

/** Departments first, then what each sells: parents before children. */
const categoryNames = [
  ...departments.map(([name]) => ({ name, parent: undefined })),
  ...departments.flatMap(([, kinds], department) =>
    kinds.map((name) => ({ name, parent: department + 1 })),
  ),
];

const leafCategories = categoryNames.flatMap(({ parent }, index) =>
  parent === undefined ? [] : [index + 1],
);

export const categories: SampleTable = {
  name: 'categories',
  definition: `
    CREATE TABLE categories (
      id SMALLINT UNSIGNED NOT NULL PRIMARY KEY,
      parent_id SMALLINT UNSIGNED,
      name VARCHAR(60) NOT NULL,
      active BOOLEAN NOT NULL DEFAULT TRUE,
      position TINYINT NOT NULL COMMENT 'negative: before the rest',
      FOREIGN KEY (parent_id) REFERENCES categories (id)
    ) COMMENT 'Departments and what each sells'`,
  columns: ['id', 'parent_id', 'name', 'active', 'position'],
  *rows() {
    const random = createRandom('categories');
    for (const [index, { name, parent }] of categoryNames.entries())
      yield [index + 1, parent ?? null, name, !random.chance(0.05), random.integer(-5, 5)];
  },
};

const prices = pricesFrom(createRandom('prices'));

function pricesFrom(random: Random): readonly number[] {
  return Array.from({ length: productCount }, () => random.integer(990, 249_990));
}

/** In cents; order lines ask for it as well. */
export function priceOfProduct(id: number): number {
  return prices[id - 1]!;
}

export const products: SampleTable = {
  name: 'products',
  definition: `
    CREATE TABLE products (
      id INT UNSIGNED NOT NULL PRIMARY KEY,
      category_id SMALLINT UNSIGNED NOT NULL,
      sku CHAR(10) NOT NULL UNIQUE,
      name VARCHAR(120) NOT NULL,
      description TEXT,
      price DECIMAL(12,2) NOT NULL,
      unit_cost DECIMAL(38,18),
      weight_kg FLOAT,
      attributes JSON,
      labels SET('novo','promoção','importado','frágil') NOT NULL,
      launched YEAR,
      photo_sha256 BINARY(32),
      created_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
      FOREIGN KEY (category_id) REFERENCES categories (id)
    )`,
  columns: [
    'id',
    'category_id',
    'sku',
    'name',
    'description',
    'price',
    'unit_cost',
    'weight_kg',
    'attributes',
    'labels',
    'launched',
    'photo_sha256',
    'created_at',
  ],
  *rows() {
    const random = createRandom('products');
    for (let id = 1; id <= productCount; id++) {
      const category = random.pick(leafCategories);
      const attributes = {
        cor: random.pick(['azul', 'verde', 'amarelo', 'âmbar']),
        medidas: [random.integer(5, 90), random.integer(5, 90)],
        garantia: random.chance(0.5) ? { meses: random.integer(3, 24) } : null,
      };
      yield [
        id,
        category,
        `${random.pick(['CF', 'CZ', 'IN', 'JD'])}${random.digits(3)}${String(id).padStart(5, '0')}`,
        `${categoryNames[category - 1]!.name} ${random.pick(qualities)}`,
        random.chance(0.2) ? null : `${random.pick(remarks)} ${random.pick(qualities)} ☕`,
        decimalText(priceOfProduct(id), 2),
        random.chance(0.3) ? null : `${random.integer(1, 1_500)}.${random.digits(18)}`,
        random.chance(0.1) ? null : random.integer(1, 40_000) / 1_000,
        random.chance(0.1) ? null : JSON.stringify(attributes),
        ['novo', 'promoção', 'importado', 'frágil'].filter(() => random.chance(0.3)).join(','),
        random.chance(0.1) ? null : random.integer(1998, 2025),
        random.chance(0.5) ? null : random.bytes(32),
        momentText(random, random.integer(0, sampleDays)),
      ];
    }
  },
};
