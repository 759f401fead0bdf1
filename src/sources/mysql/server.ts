import type { Session } from './connection';

/** Which server this is and what about it bears on detection. Read anew for every use. */
export interface ServerFacts {
  readonly mariadb: boolean;
  readonly version: string;
}

/** The kind of server. One query. */
export async function readServerFacts(session: Session): Promise<ServerFacts> {
  const [row] = await session.query(`SELECT VERSION() AS version, @@version_comment AS comment`);
  const version = row?.['version'] ?? '';
  return {
    version,
    // A MariaDB can be told to call itself something else, but hardly in both places.
    mariadb: /mariadb/i.test(`${version} ${row?.['comment'] ?? ''}`),
  };
}
