import assert from 'node:assert/strict';
import { unsettled, type SettledInput } from '../../../../src/sources/mysql/tokens/settled';

const SECOND = 1_000_000n;
const AT = 1_700_000_000n * SECOND;

function judge(changes: Partial<SettledInput>): string | undefined {
  return unsettled({
    mariadb: false,
    updatedAt: AT,
    now: AT + 60n * SECOND,
    settleMarginMs: 5_000,
    transactions: [],
    ...changes,
  });
}

const begun = (seconds: bigint, modified: boolean) => ({
  transactions: [{ startedAt: AT + seconds * SECOND, modified }],
});

describe('settled tokens', () => {
  it('are older than the margin', () => {
    assert.equal(judge({}), undefined);
    assert.match(judge({ now: AT + 4_999_999n }) ?? '', /5000 ms/);
    assert.equal(judge({ now: AT + 5_000_000n }), undefined);
  });

  it('are not of the future, as after a clock was set back', () => {
    assert.ok(judge({ now: AT - 60n * SECOND }));
  });

  it('have no writing transaction that began before the change', () => {
    assert.ok(judge(begun(-600n, true)));
    assert.ok(judge(begun(0n, true)));
    assert.ok(judge(begun(1n, true)));
    assert.equal(judge(begun(2n, true)), undefined);
    assert.equal(judge(begun(-600n, false)), undefined);
  });

  it('on MariaDB have no transaction either that began in the second of the change', () => {
    for (const seconds of [-1n, 0n, 1n]) {
      assert.ok(judge({ mariadb: true, ...begun(seconds, false) }), String(seconds));
      assert.equal(judge(begun(seconds, false)), undefined);
    }
    assert.equal(judge({ mariadb: true, ...begun(-2n, false) }), undefined);
    assert.equal(judge({ mariadb: true, ...begun(2n, false) }), undefined);
  });

  it('are not called so without a current list of transactions', () => {
    assert.match(judge({ transactions: undefined }) ?? '', /no current list/);
  });
});
