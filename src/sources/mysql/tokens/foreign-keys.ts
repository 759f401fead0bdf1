import type { Session } from '../connection';
import type { ServerFacts } from '../server';
import { isAfter, type LogPosition } from './binlog-events';
import { keyOfEncodedName, keyOfName, type TableKey } from './innodb-names';

/** From a table to the tables whose rows its own changes can delete or alter. */
export type Cascades = ReadonlyMap<TableKey, readonly TableKey[]>;

/**
 * Foreign keys that cascade or set NULL. InnoDB does that below the binary log, so a child's rows
 * change without the log naming it (https://dev.mysql.com/doc/refman/8.4/en/innodb-and-mysql-replication.html;
 * from 9.6 the log names it too). Needs the right PROCESS, because information_schema hides keys
 * of tables that the user cannot see.
 */
export async function readCascades(session: Session, facts: ServerFacts): Promise<Cascades> {
  const source = facts.mariadb ? 'INNODB_SYS_FOREIGN' : 'INNODB_FOREIGN';
  // 1 and 2: on delete cascade, set null; 4 and 8: the same on update. The rest does nothing.
  const rows = await session.query(
    `SELECT FOR_NAME AS child, REF_NAME AS parent FROM information_schema.${source} WHERE (TYPE & 15) <> 0`,
  );
  const cascades = new Map<TableKey, TableKey[]>();
  for (const row of rows) {
    for (const parent of keysOf(row['parent'] ?? '')) {
      cascades.set(parent, [...(cascades.get(parent) ?? []), ...keysOf(row['child'] ?? '')]);
    }
  }
  return cascades;
}

/** Whether names are encoded here differs between versions. */
function keysOf(name: string): readonly TableKey[] {
  return [...new Set([keyOfName(name), keyOfEncodedName(name)])];
}

/** Adds to the tables that the log names those that their changes may have reached. */
export function withCascades(
  lastTouch: ReadonlyMap<TableKey, LogPosition>,
  cascades: Cascades,
): ReadonlyMap<TableKey, LogPosition> {
  const reached = new Map(lastTouch);
  const waiting = [...lastTouch.keys()];
  for (let parent = waiting.pop(); parent !== undefined; parent = waiting.pop()) {
    const at = reached.get(parent)!;
    for (const child of cascades.get(parent) ?? []) {
      const known = reached.get(child);
      if (known !== undefined && !isAfter(at, known)) continue;
      reached.set(child, at);
      waiting.push(child);
    }
  }
  return reached;
}
