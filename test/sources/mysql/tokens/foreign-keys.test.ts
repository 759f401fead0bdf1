import assert from 'node:assert/strict';
import { withCascades } from '../../../../src/sources/mysql/tokens/foreign-keys';

const at = (position: number) => ({ file: 'binlog.000001', position });

describe('cascades', () => {
  it('reach children, grandchildren and circles', () => {
    const cascades = new Map([
      ['s.parent', ['s.child', 's.other']],
      ['s.child', ['s.leaf']],
      ['s.leaf', ['s.parent']],
    ]);
    const reached = withCascades(new Map([['s.parent', at(10)]]), cascades);
    assert.deepEqual([...reached.keys()].sort(), ['s.child', 's.leaf', 's.other', 's.parent']);
  });

  it('carry the last time, not the first', () => {
    const cascades = new Map([
      ['s.a', ['s.child']],
      ['s.b', ['s.child']],
    ]);
    const touched = new Map([
      ['s.a', at(10)],
      ['s.b', at(30)],
      ['s.child', at(20)],
    ]);
    assert.deepEqual(withCascades(touched, cascades).get('s.child'), at(30));
  });
});
