import { startPostgres } from '../../scripts/services/postgres';
import type { DatabaseService } from '../../scripts/services/service';
import { historyContract } from '../history/contract';
import { newPostgresStore } from '../history/postgres-store';
import { newSqliteStore } from '../history/sqlite-store';

historyContract('SQLite', newSqliteStore);
historyContract('PostgreSQL 17', () => newPostgresStore());

describe('with the oldest server', () => {
  let server: DatabaseService;

  before(async () => {
    server = await startPostgres({ version: 13 });
  });

  after(() => server.stop());

  historyContract('PostgreSQL 13', () => newPostgresStore(server));
});
