import { createRandom } from './random';
import { priceOfProduct, productCount } from './sales-catalog';
import { addressCount, customerOfAddress } from './sales-customers';
import type { SampleTable } from './table';
import { dateText, decimalText, durationText, momentText, sampleDays, unsigned64 } from './values';
import { carriers, remarks } from './vocabulary';

const orderCount = 40_000;

/** Every so often an order is only a draft: nothing hangs on it. */
const draftEvery = 400;

interface OrderLine {
  readonly product: number;
  readonly quantity: number;
  /** In cents. */
  readonly unitPrice: number;
}

function* completedOrders(): Generator<number> {
  for (let id = 1; id <= orderCount; id++) if (!isDraft(id)) yield id;
}

function isDraft(order: number): boolean {
  return order % draftEvery === 0;
}

function linesOf(order: number): readonly OrderLine[] {
  if (isDraft(order)) return [];
  const random = createRandom(`lines of order ${order}`);
  return Array.from({ length: random.integer(1, 3) }, () => {
    const product = random.integer(1, productCount);
    return { product, quantity: random.integer(1, 4), unitPrice: priceOfProduct(product) };
  });
}

/** In cents. */
function totalOf(order: number): number {
  return linesOf(order).reduce((total, line) => total + line.quantity * line.unitPrice, 0);
}

/** Orders come in the order of their dates. */
function dayOf(order: number): number {
  return Math.floor((order * sampleDays) / (orderCount + 1));
}

export const orders: SampleTable = {
  name: 'orders',
  definition: `
    CREATE TABLE orders (
      id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
      customer_id BIGINT UNSIGNED NOT NULL,
      address_id BIGINT UNSIGNED,
      status ENUM('rascunho','aberto','pago','enviado','entregue','cancelado') NOT NULL,
      channel ENUM('site','app','loja','telefone') NOT NULL,
      total DECIMAL(14,2) NOT NULL,
      discount DECIMAL(5,4),
      tracking_number BIGINT UNSIGNED,
      notes TEXT,
      placed_at DATETIME(6) NOT NULL,
      updated_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
      FOREIGN KEY (customer_id) REFERENCES customers (id),
      FOREIGN KEY (address_id) REFERENCES addresses (id)
    )`,
  columns: [
    'id',
    'customer_id',
    'address_id',
    'status',
    'channel',
    'total',
    'discount',
    'tracking_number',
    'notes',
    'placed_at',
    'updated_at',
  ],
  *rows() {
    const random = createRandom('orders');
    for (let id = 1; id <= orderCount; id++) {
      const address = random.integer(1, addressCount);
      const placedAt = momentText(random, dayOf(id));
      yield [
        id,
        customerOfAddress(address),
        isDraft(id) ? null : address,
        isDraft(id) ? 'rascunho' : random.pick(['aberto', 'pago', 'enviado', 'entregue']),
        random.pick(['site', 'app', 'loja', 'telefone']),
        decimalText(totalOf(id), 2),
        random.chance(0.7) ? null : decimalText(random.integer(0, 3_000), 4),
        random.chance(0.4) ? null : unsigned64(random),
        random.chance(0.8) ? null : random.pick(remarks),
        placedAt,
        placedAt.slice(0, -3),
      ];
    }
  },
};

export const orderItems: SampleTable = {
  name: 'order_items',
  definition: `
    CREATE TABLE order_items (
      order_id BIGINT UNSIGNED NOT NULL,
      line TINYINT UNSIGNED NOT NULL,
      product_id INT UNSIGNED NOT NULL,
      quantity INT NOT NULL,
      unit_price DECIMAL(12,2) NOT NULL,
      PRIMARY KEY (order_id, line),
      FOREIGN KEY (order_id) REFERENCES orders (id),
      FOREIGN KEY (product_id) REFERENCES products (id)
    )`,
  columns: ['order_id', 'line', 'product_id', 'quantity', 'unit_price'],
  *rows() {
    for (const order of completedOrders())
      for (const [index, { product, quantity, unitPrice }] of linesOf(order).entries())
        yield [order, index + 1, product, quantity, decimalText(unitPrice, 2)];
  },
};

export const payments: SampleTable = {
  name: 'payments',
  definition: `
    CREATE TABLE payments (
      id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
      order_id BIGINT UNSIGNED NOT NULL,
      method ENUM('pix','crédito','débito','boleto') NOT NULL,
      installments TINYINT UNSIGNED NOT NULL,
      amount DECIMAL(14,2) NOT NULL,
      authorization BIGINT UNSIGNED NOT NULL,
      authorized_at DATETIME(3),
      FOREIGN KEY (order_id) REFERENCES orders (id)
    )`,
  columns: ['id', 'order_id', 'method', 'installments', 'amount', 'authorization', 'authorized_at'],
  *rows() {
    const random = createRandom('payments');
    let id = 0;
    for (const order of completedOrders()) {
      if (random.chance(0.05)) continue;
      const method = random.pick(['pix', 'crédito', 'débito', 'boleto']);
      yield [
        ++id,
        order,
        method,
        method === 'crédito' ? random.integer(1, 12) : 1,
        decimalText(totalOf(order), 2),
        unsigned64(random),
        random.chance(0.1) ? null : momentText(random, dayOf(order)).slice(0, -3),
      ];
    }
  },
};

export const shipments: SampleTable = {
  name: 'shipments',
  definition: `
    CREATE TABLE shipments (
      id INT NOT NULL PRIMARY KEY,
      order_id BIGINT UNSIGNED NOT NULL,
      carrier VARCHAR(40) NOT NULL,
      shipped_on DATE NOT NULL,
      delivered_on DATE,
      in_transit TIME COMMENT 'beyond 24 hours as a rule',
      weight_kg DOUBLE NOT NULL,
      label BLOB,
      FOREIGN KEY (order_id) REFERENCES orders (id)
    )`,
  columns: [
    'id',
    'order_id',
    'carrier',
    'shipped_on',
    'delivered_on',
    'in_transit',
    'weight_kg',
    'label',
  ],
  *rows() {
    const random = createRandom('shipments');
    let id = 0;
    for (const order of completedOrders()) {
      if (random.chance(0.25)) continue;
      const shipped = dayOf(order) + random.integer(0, 3);
      const transit = random.chance(0.2) ? undefined : random.integer(3_600, 2_500_000);
      yield [
        ++id,
        order,
        random.pick(carriers),
        dateText(shipped),
        transit === undefined ? null : dateText(shipped + Math.ceil(transit / 86_400)),
        transit === undefined ? null : durationText(transit),
        random.integer(1, 2 ** 30) / 2 ** 26,
        random.chance(0.9) ? null : random.bytes(random.integer(0, 300)),
      ];
    }
  },
};

/** A view has no token and no log of its own: what becomes of it is the pipeline's choice. */
export const orderTotalsView = `
  CREATE VIEW order_totals AS
    SELECT o.id AS order_id, o.customer_id, COUNT(i.line) AS line_count,
           COALESCE(SUM(i.quantity * i.unit_price), 0) AS total
    FROM orders o LEFT JOIN order_items i ON i.order_id = o.id
    GROUP BY o.id, o.customer_id`;
