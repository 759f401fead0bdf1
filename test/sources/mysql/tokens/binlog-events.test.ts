import assert from 'node:assert/strict';
import { effectOf, isAfter } from '../../../../src/sources/mysql/tokens/binlog-events';

const effect = (type: string, info = '') => effectOf({ Event_type: type, Info: info });

describe('events of the binary log', () => {
  it('name their tables, whatever is in the name', () => {
    for (const name of ['shop.orders', 'shop.a (b) c', 'shop.line\nbreak']) {
      assert.deepEqual(effect('Table_map', `table_id: 123 (${name})`), {
        kind: 'table',
        key: name,
      });
    }
  });

  it('carry transaction ids with and without a tag', () => {
    const uuid = '8f60cc39-e5a2-11f1-8894-02fc00000001';
    assert.deepEqual(effect('Gtid', `SET @@SESSION.GTID_NEXT= '${uuid}:21'`), {
      kind: 'gtid',
      gtid: { source: uuid, number: 21 },
    });
    assert.deepEqual(
      effect('Gtid_tagged_log_event', `SET @@SESSION.GTID_NEXT= '${uuid}:nightly:1'`),
      { kind: 'gtid', gtid: { source: `${uuid}:nightly`, number: 1 } },
    );
    assert.deepEqual(effect('Gtid', 'BEGIN GTID 0-1-5'), { kind: 'none' });
  });

  it('are harmless where they change nothing', () => {
    const events = [
      ...['Format_desc', 'Previous_gtids', 'Rotate', 'Xid', 'Annotate_rows', 'Rows_query'],
      ...['Write_rows', 'Update_rows_v1', 'Delete_rows_compressed_v1', 'Update_rows_partial'],
    ];
    for (const type of events) assert.equal(effect(type).kind, 'none', type);
    const statements = [
      ...['BEGIN', 'COMMIT', 'SAVEPOINT `a`', "XA START X'71',X'',1", "XA END X'71',X'',1"],
      ...['use `shop`; ANALYZE TABLE orders', 'use `a``b`; GRANT SELECT ON x TO y', 'FLUSH TABLES'],
    ];
    for (const statement of statements) assert.equal(effect('Query', statement).kind, 'none');
  });

  it('may change anything where nobody can tell', () => {
    const statements = [
      ...['use `shop`; TRUNCATE TABLE orders', 'use `shop`; insert into orders values (1)'],
      ...["XA COMMIT X'71',X'',1", 'use `shop`; ALTER TABLE a EXCHANGE PARTITION p WITH TABLE b'],
      ...['use `shop`; ANALYZE UPDATE orders SET v = 1', 'use `shop`; BEGINNING', '/* x */ BEGIN'],
      ...['', 'use `shop; BEGIN'],
    ];
    for (const statement of statements) {
      assert.equal(effect('Query', statement).kind, 'anything', statement);
    }
    for (const type of ['Incident', 'Execute_load_query', 'Something_new', '']) {
      assert.equal(effect(type).kind, 'anything', type);
    }
    assert.equal(effect('Table_map', 'unreadable').kind, 'anything');
  });

  it('lie in an order that knows files beyond six digits', () => {
    const at = (file: string, position: number) => ({ file, position });
    assert.equal(isAfter(at('binlog.000002', 4), at('binlog.000001', 900)), true);
    assert.equal(isAfter(at('binlog.1000000', 4), at('binlog.999999', 4)), true);
    assert.equal(isAfter(at('a.b.000010', 5), at('a.b.000010', 5)), false);
    assert.equal(isAfter(at('a.b.000010', 6), at('a.b.000010', 5)), true);
  });
});
