import { RECORDINGS } from '../bigquery/statements';
import type { Migration } from './migration';

/**
 * BigQuery has no lock under which one process could make the tables while others wait: each
 * statement may be repeated, also by two at once.
 *
 * @param place names a table of the dataset, in quotes.
 */
export function bigqueryMigrations(place: (table: string) => string): readonly Migration[] {
  // With pipeline and table in the partition, a condition on them is applied before it.
  const eachOnce = `SELECT * FROM ${place(RECORDINGS)} WHERE TRUE
    QUALIFY ROW_NUMBER() OVER (PARTITION BY pipeline, table_name, id ORDER BY sequence) = 1`;
  const summary = `SELECT table_name AS nome_tabela,
      IFNULL(started_at, recorded_at) AS data_execucao,
      rows_read AS qtd_linhas,
      duration_ms / 1000 AS tempo_execucao,
      IF(kind = 'SUCCEEDED', 'SUCESSO', 'FALHA') AS status,
      pipeline, batch, error AS erro
    FROM ${place('historico_execucao')} WHERE kind IN ('SUCCEEDED', 'FAILED')`;
  return [
    {
      version: 1,
      name: 'events, latest state and summary',
      statements: [
        // Rows of a pipeline's table lie together, so that a look at one table reads little.
        `CREATE TABLE IF NOT EXISTS ${place(RECORDINGS)} (
          sequence INT64 NOT NULL,
          id STRING NOT NULL,
          kind STRING NOT NULL,
          recorded_at TIMESTAMP NOT NULL,
          pipeline STRING NOT NULL,
          table_name STRING NOT NULL,
          batch STRING NOT NULL,
          run STRING NOT NULL,
          mode STRING,
          engine STRING,
          verdict STRING,
          reason STRING,
          token STRING,
          cursor_high STRING,
          rows_at_source INT64,
          rows_read INT64,
          rows_written INT64,
          rows_published INT64,
          invalid_values INT64,
          bytes INT64,
          started_at TIMESTAMP,
          ended_at TIMESTAMP,
          duration_ms INT64,
          attempts INT64,
          error_code STRING,
          error STRING,
          files STRING,
          columns STRING,
          schema_fingerprint STRING,
          schema_changes STRING,
          workflow_id STRING,
          workflow_run_id STRING
        ) CLUSTER BY pipeline, table_name`,
        `CREATE VIEW IF NOT EXISTS ${place('historico_execucao')} AS ${eachOnce}`,
        `CREATE VIEW IF NOT EXISTS ${place('historico_execucao_atual')} AS
          WITH marked AS (
            SELECT *,
              ROW_NUMBER() OVER (
                PARTITION BY pipeline, table_name ORDER BY sequence DESC, id DESC) AS age,
              ROW_NUMBER() OVER (
                PARTITION BY pipeline, table_name, kind IN ('SUCCEEDED', 'RESET')
                ORDER BY sequence DESC, id DESC) AS age_among_standing
            FROM ${place('historico_execucao')}
          )
          SELECT latest.pipeline, latest.table_name,
            latest.sequence AS last_sequence, latest.id AS last_id, latest.kind AS last_kind,
            latest.recorded_at AS last_recorded_at, latest.batch AS last_batch,
            latest.verdict AS last_verdict, latest.reason AS last_reason,
            latest.error_code AS last_error_code, latest.error AS last_error,
            success.sequence AS success_sequence, success.id AS success_id,
            success.recorded_at AS success_recorded_at, success.batch AS success_batch,
            success.run AS success_run, success.mode AS success_mode,
            success.engine AS success_engine, success.rows_read AS success_rows_read,
            success.rows_published AS success_rows_published, success.bytes AS success_bytes,
            success.duration_ms AS success_duration_ms, success.token AS success_token,
            success.schema_fingerprint AS success_schema_fingerprint
          FROM (SELECT * FROM marked WHERE age = 1) AS latest
          LEFT JOIN (
            SELECT * FROM marked WHERE age_among_standing = 1 AND kind = 'SUCCEEDED') AS success
            ON success.pipeline = latest.pipeline AND success.table_name = latest.table_name`,
        `CREATE VIEW IF NOT EXISTS ${place('historico_execucao_resumo')} AS ${summary}`,
        `CREATE TABLE IF NOT EXISTS ${place('comporta_migration')} (
          version INT64 NOT NULL,
          name STRING NOT NULL,
          applied_at TIMESTAMP NOT NULL
        )`,
      ],
    },
    {
      version: 2,
      name: 'what BigQuery charges',
      statements: [
        `ALTER TABLE ${place(RECORDINGS)} ADD COLUMN IF NOT EXISTS bytes_billed INT64`,
        // A view keeps the columns that a table had when it was made.
        `CREATE OR REPLACE VIEW ${place('historico_execucao')} AS ${eachOnce}`,
      ],
    },
    {
      version: 3,
      name: 'loads that were adopted are in the older history',
      statements: [
        // In a view over both histories each of them would be there twice.
        `CREATE OR REPLACE VIEW ${place('historico_execucao_resumo')} AS ${summary} AND NOT (kind = 'SUCCEEDED' AND run = '')`,
      ],
    },
  ];
}
