import assert from 'node:assert/strict';
import { eventually } from '../../support/eventually';
import type { TestServer } from './server';

/** How many sessions of the source its server still has. */
export async function sourceSessions(server: TestServer): Promise<number> {
  const rows = await server.sql(
    `SELECT 1 FROM pg_stat_activity WHERE application_name = 'comporta'`,
  );
  return rows.length;
}

/** Fails when a session of the source outlives its use. */
export function noSourceSessions(server: TestServer): Promise<void> {
  return eventually(
    async () => assert.equal(await sourceSessions(server), 0, 'a session is left'),
    5_000,
  );
}
