import type { OpenTransaction } from './transactions';

export interface SettledInput {
  readonly mariadb: boolean;
  /** UPDATE_TIME, microseconds since 1970 UTC, whole seconds. */
  readonly updatedAt: bigint;
  /** The source's clock when UPDATE_TIME was read, microseconds. */
  readonly now: bigint;
  readonly settleMarginMs: number;
  /** Read after UPDATE_TIME; undefined when no current list was to be had. */
  readonly transactions: readonly OpenTransaction[] | undefined;
}

const SECOND = 1_000_000n;

/**
 * Why rows may still appear under the very UPDATE_TIME that was read; undefined when they cannot.
 *
 * MySQL stamps the time of the commit, just before its rows are visible. MariaDB stamps the time
 * at which the transaction began, so that one which began in the second of UPDATE_TIME and has
 * not written yet counts as well. A second of slack on both sides, because the server rounds.
 */
export function unsettled(input: SettledInput): string | undefined {
  const { mariadb, updatedAt, now, settleMarginMs, transactions } = input;
  const age = now - updatedAt;
  if (age < BigInt(settleMarginMs) * 1000n) {
    return `changed within the last ${settleMarginMs} ms`;
  }
  if (transactions === undefined) {
    return 'the server gave no current list of transactions';
  }
  const pending = transactions.some(({ startedAt, modified }) => {
    const late = startedAt > updatedAt + SECOND;
    if (late) return false;
    return modified || (mariadb && startedAt >= updatedAt - SECOND);
  });
  return pending ? 'a transaction is open that began before the last change' : undefined;
}
