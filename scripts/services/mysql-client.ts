import { createConnection } from 'mysql2/promise';
import { loopback, testConnection } from './service';

/** Resolves when a server of the MySQL family lets the test user in on this port. */
export async function answersMysqlClient(port: number): Promise<void> {
  const connection = await createConnection({ host: loopback, port, ...testConnection });
  try {
    await connection.query('SELECT 1');
  } finally {
    await connection.end();
  }
}

/** Statements, one per line, that make the test user and database on a new server. */
export function testUserStatements(): string {
  const { user, password, database } = testConnection;
  return [
    `CREATE USER '${user}'@'%' IDENTIFIED BY '${password}';`,
    `GRANT ALL ON *.* TO '${user}'@'%' WITH GRANT OPTION;`,
    `CREATE DATABASE ${database};`,
    '',
  ].join('\n');
}
