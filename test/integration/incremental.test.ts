import assert from 'node:assert/strict';
import { createConnection, type Connection } from 'mysql2/promise';
import { Client as PostgresClient } from 'pg';
import { readCurrent } from '../support/lake';
import { sharedMariadb, sharedPostgres, uniqueName } from '../support/servers';
import { startWorld, type World } from '../support/world';

const OVERRIDES = `
overrides:
  events: { mode: append, key: [id], cursor: { column: id, lookBack: 10 } }
  "*items": { mode: incremental, cursor: { column: updated_at, lookBack: 1h } }
destination: { connection: lake }
`;

describe('incremental and append loads, on real servers', function () {
  this.timeout(120_000);

  let sql: Connection;
  let postgres: PostgresClient;
  let world: World;
  let batchNumber = 0;

  /** Runs the same statements on both servers. */
  async function both(statement: string): Promise<void> {
    await sql.query(statement);
    await postgres.query(statement);
  }

  before(async () => {
    const mariadb = await sharedMariadb();
    const server = await sharedPostgres();
    const name = uniqueName('increments');
    sql = await createConnection({
      host: mariadb.host,
      port: mariadb.port,
      user: mariadb.user,
      password: mariadb.password,
    });
    await sql.query(`CREATE DATABASE ${name}`);
    await sql.query(`USE ${name}`);
    postgres = new PostgresClient({
      host: server.host,
      port: server.port,
      user: server.user,
      password: server.password,
      database: server.database,
    });
    await postgres.connect();
    await postgres.query(`CREATE SCHEMA ${name}`);
    await postgres.query(`SET search_path = ${name}`);
    await sql.query(
      'CREATE TABLE items (id INT PRIMARY KEY, name VARCHAR(50), price DECIMAL(30,10), updated_at DATETIME(6))',
    );
    await postgres.query(
      'CREATE TABLE items (id int PRIMARY KEY, name varchar(50), price numeric(30,10), updated_at timestamp(6))',
    );
    await both('CREATE TABLE events (id INT PRIMARY KEY, what VARCHAR(20))');

    world = await startWorld({
      environment: { MARIADB_PASSWORD: mariadb.password, POSTGRES_PASSWORD: server.password },
      files: {
        'connections.yaml': `
connections:
  my: { type: mysql, host: ${mariadb.host}, port: ${mariadb.port}, user: ${mariadb.user}, password: env:MARIADB_PASSWORD, database: ${name} }
  pg: { type: postgres, host: ${server.host}, port: ${server.port}, user: ${server.user}, password: env:POSTGRES_PASSWORD, database: ${server.database} }
  lake: { type: file, path: ../lake }
`,
        'my.yaml': `pipeline: my\nsource: { connection: my }\n${OVERRIDES}`,
        'pg.yaml': `pipeline: pg\nsource: { connection: pg, schemas: [${name}] }\n${OVERRIDES.replace('events', `${name}.events`)}`,
      },
    });
    entityOf = (pipeline, table) => (pipeline === 'my' ? table : `${name}.${table}`);
  });

  let entityOf: (pipeline: string, table: string) => string;

  after(async () => {
    await world?.close();
    await sql?.end();
    await postgres?.end();
  });

  /** Loads both pipelines whole, whatever the detection says, and returns the rows read per table. */
  async function load(): Promise<void> {
    batchNumber += 1;
    for (const pipeline of ['my', 'pg']) {
      const { failed } = await world.run({ pipeline, batch: `b${batchNumber}`, force: true });
      assert.equal(failed, 0);
    }
  }

  async function rowsRead(pipeline: string, table: string): Promise<number | undefined> {
    const states = await (await world.history()).states(pipeline);
    return states.get(entityOf(pipeline, table))?.lastSuccess?.rowsRead;
  }

  async function assertItems(expected: unknown[][]): Promise<void> {
    for (const pipeline of ['my', 'pg']) {
      const rows = await readCurrent(
        world.lake,
        pipeline,
        entityOf(pipeline, 'items'),
        'id, name, price::VARCHAR, updated_at::VARCHAR',
      );
      assert.deepEqual(rows, expected, pipeline);
    }
  }

  it('read what the cursor and its look-back cover, and merge by key', async () => {
    await both(`INSERT INTO items VALUES
      (1, 'old', 1.0000000001, '2024-01-01 10:00:00.000001'),
      (2, 'recent', 2.5, '2024-01-02 10:00:00.000000')`);
    await load();

    await both(`INSERT INTO items VALUES (3, 'late commit', 3, '2024-01-02 09:30:00')`);
    await both(`UPDATE items SET name = 'edited', updated_at = '2024-01-02 11:00:00' WHERE id = 2`);
    await load();
    for (const pipeline of ['my', 'pg']) assert.equal(await rowsRead(pipeline, 'items'), 2);
    await assertItems([
      [1, 'old', '1.0000000001', '2024-01-01 10:00:00.000001'],
      [2, 'edited', '2.5000000000', '2024-01-02 11:00:00'],
      [3, 'late commit', '3.0000000000', '2024-01-02 09:30:00'],
    ]);
  });

  it('change nothing when nothing is new', async () => {
    await load();
    const before = await (await world.history()).states('my');
    assert.equal(before.get('items')?.lastSuccess?.rowsPublished, 3);
  });

  it('take a new column, and leave it empty for the rows that are not read again', async () => {
    await both('ALTER TABLE items ADD COLUMN color VARCHAR(10)');
    await both(`UPDATE items SET color = 'blue', updated_at = '2024-01-02 11:30:00' WHERE id = 2`);
    await load();
    for (const pipeline of ['my', 'pg']) {
      const rows = await readCurrent(
        world.lake,
        pipeline,
        entityOf(pipeline, 'items'),
        'id, color',
      );
      assert.deepEqual(rows, [
        [1, null],
        [2, 'blue'],
        [3, null],
      ]);
    }
  });

  it('append adds what is not there yet, once, also what committed late', async () => {
    await both(`INSERT INTO events VALUES (1, 'a'), (2, 'b'), (5, 'e')`);
    await load();
    await both(`INSERT INTO events VALUES (4, 'late'), (6, 'f')`);
    await both(`UPDATE events SET what = 'edited' WHERE id = 1`);
    await load();
    for (const pipeline of ['my', 'pg']) {
      const rows = await readCurrent(
        world.lake,
        pipeline,
        entityOf(pipeline, 'events'),
        'id, what',
      );
      assert.deepEqual(rows, [
        [1, 'a'],
        [2, 'b'],
        [4, 'late'],
        [5, 'e'],
        [6, 'f'],
      ]);
    }
  });
});
