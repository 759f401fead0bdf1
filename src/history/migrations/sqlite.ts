import type { Migration } from './migration';

export const SQLITE_MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: 'events, latest state and leases',
    statements: [
      // `sequence` is SQLite's row id: the order in which the store took the events. AUTOINCREMENT
      // never gives a number twice, even after old events were pruned.
      `CREATE TABLE historico_execucao (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        recorded_at TEXT NOT NULL,
        pipeline TEXT NOT NULL,
        table_name TEXT NOT NULL,
        batch TEXT NOT NULL,
        run TEXT NOT NULL,
        mode TEXT,
        engine TEXT,
        verdict TEXT,
        reason TEXT,
        token TEXT,
        cursor_high TEXT,
        rows_at_source INTEGER,
        rows_read INTEGER,
        rows_written INTEGER,
        rows_published INTEGER,
        invalid_values INTEGER,
        bytes INTEGER,
        started_at TEXT,
        ended_at TEXT,
        duration_ms INTEGER,
        attempts INTEGER,
        error_code TEXT,
        error TEXT,
        files TEXT,
        columns TEXT,
        schema_fingerprint TEXT,
        schema_changes TEXT,
        workflow_id TEXT,
        workflow_run_id TEXT
      ) STRICT`,
      // Each ends in the row id, SQLite adds it. The skips are nearly all of a year's rows, so the
      // last two leave them out. The latest of a table's successes and resets says whether a
      // success stands, and which.
      `CREATE INDEX historico_execucao_table ON historico_execucao (pipeline, table_name)`,
      `CREATE INDEX historico_execucao_pipeline ON historico_execucao (pipeline)`,
      `CREATE INDEX historico_execucao_batch ON historico_execucao (pipeline, batch)`,
      `CREATE INDEX historico_execucao_standing
        ON historico_execucao (pipeline, table_name) WHERE kind IN ('SUCCEEDED', 'RESET')`,
      `CREATE INDEX historico_execucao_kind
        ON historico_execucao (pipeline, kind) WHERE kind <> 'SKIPPED'`,
      `CREATE TRIGGER historico_execucao_no_update BEFORE UPDATE ON historico_execucao
        BEGIN SELECT RAISE(ABORT, 'historico_execucao is append-only'); END`,
      `CREATE TRIGGER historico_execucao_no_delete BEFORE DELETE ON historico_execucao
        BEGIN SELECT RAISE(ABORT, 'historico_execucao is append-only'); END`,
      // The recursion walks from table to table through the index instead of reading every event.
      `CREATE VIEW historico_execucao_atual AS
        WITH RECURSIVE known (pipeline, table_name) AS (
          SELECT * FROM (
            SELECT pipeline, table_name FROM historico_execucao
            ORDER BY pipeline, table_name LIMIT 1)
          UNION ALL
          SELECT next.pipeline, next.table_name
          FROM known JOIN historico_execucao next ON next.sequence = coalesce(
            (SELECT sequence FROM historico_execucao
              WHERE pipeline = known.pipeline AND table_name > known.table_name
              ORDER BY table_name LIMIT 1),
            (SELECT sequence FROM historico_execucao
              WHERE pipeline > known.pipeline ORDER BY pipeline, table_name LIMIT 1))
        ),
        latest AS (
          SELECT pipeline, table_name,
            (SELECT max(sequence) FROM historico_execucao e
              WHERE e.pipeline = known.pipeline AND e.table_name = known.table_name) AS last,
            (SELECT max(sequence) FROM historico_execucao e
              WHERE e.pipeline = known.pipeline AND e.table_name = known.table_name
                AND e.kind IN ('SUCCEEDED', 'RESET')) AS standing
          FROM known
        )
        SELECT latest.pipeline, latest.table_name,
          last.sequence AS last_sequence, last.id AS last_id, last.kind AS last_kind,
          last.recorded_at AS last_recorded_at, last.batch AS last_batch,
          last.verdict AS last_verdict, last.reason AS last_reason,
          last.error_code AS last_error_code, last.error AS last_error,
          success.sequence AS success_sequence, success.id AS success_id,
          success.recorded_at AS success_recorded_at, success.batch AS success_batch,
          success.run AS success_run, success.mode AS success_mode,
          success.engine AS success_engine, success.rows_read AS success_rows_read,
          success.rows_published AS success_rows_published, success.bytes AS success_bytes,
          success.duration_ms AS success_duration_ms, success.token AS success_token,
          success.schema_fingerprint AS success_schema_fingerprint
        FROM latest
        JOIN historico_execucao last ON last.sequence = latest.last
        LEFT JOIN historico_execucao success
          ON success.sequence = latest.standing AND success.kind = 'SUCCEEDED'`,
      // A row stays for ever, so that its fence never goes back; without an owner the lease is free.
      `CREATE TABLE comporta_lease (
        pipeline TEXT NOT NULL,
        table_name TEXT NOT NULL,
        fence INTEGER NOT NULL,
        owner TEXT,
        expires_at TEXT,
        PRIMARY KEY (pipeline, table_name)
      ) STRICT, WITHOUT ROWID`,
    ],
  },
  {
    version: 2,
    name: 'what BigQuery charges',
    statements: ['ALTER TABLE historico_execucao ADD COLUMN bytes_billed INTEGER'],
  },
];
