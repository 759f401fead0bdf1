import { historyContract } from '../history/contract';
import { newPostgresStore } from '../history/postgres-store';
import { newSqliteStore } from '../history/sqlite-store';

historyContract('SQLite', newSqliteStore);
historyContract('PostgreSQL', newPostgresStore);
