import type { Migration } from './migration';

/** Run with the history's schema first in the search path. */
export const POSTGRES_MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: 'events, latest state and leases',
    statements: [
      // Names compare by their bytes ("C"), the same on every server, and faster.
      `CREATE TABLE historico_execucao (
        sequence bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
        id text COLLATE "C" PRIMARY KEY,
        kind text COLLATE "C" NOT NULL,
        recorded_at timestamptz NOT NULL,
        pipeline text COLLATE "C" NOT NULL,
        table_name text COLLATE "C" NOT NULL,
        batch text COLLATE "C" NOT NULL,
        run text COLLATE "C" NOT NULL,
        mode text,
        engine text,
        verdict text,
        reason text,
        token jsonb,
        cursor_high text,
        rows_at_source bigint,
        rows_read bigint,
        rows_written bigint,
        rows_published bigint,
        invalid_values bigint,
        bytes bigint,
        started_at timestamptz,
        ended_at timestamptz,
        duration_ms bigint,
        attempts bigint,
        error_code text,
        error text,
        files jsonb,
        columns jsonb,
        schema_fingerprint text,
        schema_changes jsonb,
        workflow_id text,
        workflow_run_id text
      )`,
      // The skips are nearly all of a year's rows, so the last two leave them out. The latest of a
      // table's successes and resets says whether a success stands, and which.
      `CREATE INDEX historico_execucao_table ON historico_execucao (pipeline, table_name, sequence)`,
      `CREATE INDEX historico_execucao_pipeline ON historico_execucao (pipeline, sequence)`,
      `CREATE INDEX historico_execucao_batch ON historico_execucao (pipeline, batch, sequence)`,
      `CREATE INDEX historico_execucao_standing
        ON historico_execucao (pipeline, table_name, sequence)
        WHERE kind IN ('SUCCEEDED', 'RESET')`,
      `CREATE INDEX historico_execucao_kind
        ON historico_execucao (pipeline, kind, sequence) WHERE kind <> 'SKIPPED'`,
      `CREATE FUNCTION historico_execucao_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          RAISE EXCEPTION 'historico_execucao is append-only' USING ERRCODE = 'restrict_violation';
        END $$`,
      `CREATE TRIGGER historico_execucao_append_only
        BEFORE UPDATE OR DELETE OR TRUNCATE ON historico_execucao
        FOR EACH STATEMENT EXECUTE FUNCTION historico_execucao_refuse()`,
      // The recursion walks from table to table through the index instead of reading every event.
      `CREATE VIEW historico_execucao_atual AS
        WITH RECURSIVE known AS (
          (SELECT pipeline, table_name FROM historico_execucao
            ORDER BY pipeline, table_name LIMIT 1)
          UNION ALL
          SELECT next.pipeline, next.table_name
          FROM known CROSS JOIN LATERAL (
            SELECT e.pipeline, e.table_name FROM historico_execucao e
            WHERE (e.pipeline, e.table_name) > (known.pipeline, known.table_name)
            ORDER BY e.pipeline, e.table_name LIMIT 1) next
        )
        SELECT known.pipeline, known.table_name,
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
        FROM known
        CROSS JOIN LATERAL (
          SELECT * FROM historico_execucao e
          WHERE e.pipeline = known.pipeline AND e.table_name = known.table_name
          ORDER BY e.sequence DESC LIMIT 1) last
        LEFT JOIN LATERAL (
          SELECT * FROM historico_execucao e
          WHERE e.pipeline = known.pipeline AND e.table_name = known.table_name
            AND e.kind IN ('SUCCEEDED', 'RESET')
          ORDER BY e.sequence DESC LIMIT 1) success ON success.kind = 'SUCCEEDED'`,
      // A row stays for ever, so that its fence never goes back; without an owner the lease is free.
      `CREATE TABLE comporta_lease (
        pipeline text COLLATE "C" NOT NULL,
        table_name text COLLATE "C" NOT NULL,
        fence bigint NOT NULL,
        owner text,
        expires_at timestamptz,
        PRIMARY KEY (pipeline, table_name)
      )`,
    ],
  },
  {
    version: 2,
    name: 'what BigQuery charges',
    statements: ['ALTER TABLE historico_execucao ADD COLUMN bytes_billed bigint'],
  },
];
