import type { ChangeTimes, SourceTable } from '../source';
import type { Session } from './connection';
import { readServerState } from './server';
import { exactKey, readTableFacts, type TableFacts } from './tokens/table-facts';

/** Statements that may put a table in another's place while the times of both stay with their rows. */
const REPLACING = ['Com_rename_table', 'Com_alter_table'];

/**
 * When tables last changed, by UPDATE_TIME and CREATE_TIME. Seen on MySQL 9.7: RENAME keeps both, ALTER
 * and TRUNCATE leave UPDATE_TIME unset; on MariaDB 10.11: RENAME and ALTER renew CREATE_TIME, TRUNCATE
 * keeps both. EXCHANGE PARTITION keeps both on both, for the partitioned table.
 */
export async function readChangeTimes(
  session: Session,
  tables: readonly SourceTable[],
): Promise<ChangeTimes> {
  const state = await readServerState(session);
  const facts = await readTableFacts(session, tables);
  const counters = await session.query(
    `SHOW GLOBAL STATUS WHERE Variable_name IN
       ('${REPLACING.join("', '")}', 'Uptime', 'Uptime_since_flush_status')`,
  );
  const counted = new Map(
    counters.map((row) => [row['Variable_name'] ?? '', Number(row['Value'])] as const),
  );
  const uptime = counted.get('Uptime') ?? 0;
  const isWhole = uptime - (counted.get('Uptime_since_flush_status') ?? 0) <= 1;
  return {
    // MariaDB stamps the time at which the transaction began, see `unsettled`.
    stamped: state.mariadb ? 'begin' : 'commit',
    ...(isWhole
      ? { replacements: REPLACING.reduce((sum, name) => sum + (counted.get(name) ?? 0), 0) }
      : {}),
    tables: new Map(
      tables.map((table) => [
        table.id,
        state.replica === undefined
          ? changeOf(table, facts.get(exactKey(table)))
          : { unknown: state.replica },
      ]),
    ),
  };
}

function changeOf(
  { kind }: SourceTable,
  facts: TableFacts | undefined,
): { readonly at: number } | { readonly unknown: string } {
  if (kind === 'view') return { unknown: 'a view has no time of its last change' };
  if (facts === undefined) return { unknown: 'the user may not see it' };
  if (facts.engine !== 'InnoDB') {
    return {
      unknown: `the time of the last change is reliable for InnoDB only, not for ${facts.engine ?? 'no engine'}`,
    };
  }
  if (facts.partitioned) {
    return { unknown: 'it is partitioned, and an exchanged partition leaves no time' };
  }
  if (facts.updatedAt === undefined || facts.createTime === null) {
    return {
      unknown:
        'the server does not know when it last changed (it forgets on restart, TRUNCATE and rebuild)',
    };
  }
  const created = Date.parse(`${facts.createTime.replace(' ', 'T')}Z`);
  return { at: Math.max(Number(facts.updatedAt / 1000n), created) };
}
