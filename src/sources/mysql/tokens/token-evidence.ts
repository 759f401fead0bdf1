import type { Evidence } from '../../../detection/detection';
import type { SourceTable } from '../../source';
import type { ServerState } from '../server';
import { unsettled } from './settled';
import type { TableFacts } from './table-facts';
import type { OpenTransaction } from './transactions';

export interface TokenInput {
  readonly state: ServerState;
  readonly table: SourceTable;
  readonly settleMarginMs: number;
  /** Undefined: the catalogue does not show the table. */
  readonly facts: TableFacts | undefined;
  readonly columns: string | undefined;
  /** Undefined without the right PROCESS. */
  readonly innodb: ReadonlyMap<string, string> | undefined;
  /** The table's entry of `innodb`. */
  readonly innodbIds: string | undefined;
  readonly transactions: readonly OpenTransaction[] | undefined;
}

/**
 * Values that can move without a row: rolled-back inserts, statistics. MariaDB alone has the last
 * two, for what its UPDATE_TIME does not show.
 */
const HINTS = ['auto_increment', 'data_length', 'table_rows'];

/** The `token` evidence of one table. */
export function tokenEvidence(input: TokenInput): Evidence {
  const { state, facts, columns, innodbIds } = input;
  const distrust = doubt(input);
  return {
    strategy: 'token',
    identity: { server: state.identity, started: state.startedAt },
    values: {
      create_time: facts?.createTime ?? null,
      update_time: facts?.updateTime ?? null,
      auto_increment: facts?.autoIncrement ?? null,
      columns: columns ?? null,
      innodb_ids: innodbIds ?? null,
      ...(state.mariadb
        ? { data_length: facts?.dataLength ?? null, table_rows: facts?.tableRows ?? null }
        : {}),
    },
    hints: HINTS,
    ...(distrust === undefined ? {} : { distrust }),
  };
}

function doubt(input: TokenInput): string | undefined {
  const { state, table, facts, innodb, innodbIds, settleMarginMs, transactions } = input;
  if (state.replica !== undefined) return state.replica;
  if (table.kind === 'view') return 'a view has no time of its last change';
  if (facts === undefined) return 'the table is not there, or the user may not see it';
  if (facts.engine !== 'InnoDB') {
    return `the time of the last change is reliable for InnoDB only, not for ${facts.engine ?? 'no engine'}`;
  }
  if (innodb === undefined) {
    return `without the right PROCESS open transactions and exchanged partitions cannot be seen: GRANT PROCESS ON *.* TO ${state.grantee}`;
  }
  if (innodbIds === undefined) return 'InnoDB does not list the table';
  if (facts.updatedAt === undefined) {
    return 'the server does not know when the table last changed (it forgets on restart, TRUNCATE and rebuild)';
  }
  const reason = unsettled({
    mariadb: state.mariadb,
    updatedAt: facts.updatedAt,
    now: facts.now,
    settleMarginMs,
    transactions,
  });
  return reason === undefined ? undefined : `not settled: ${reason}`;
}
