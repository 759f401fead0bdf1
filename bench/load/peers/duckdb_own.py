"""DuckDB's own table to Parquet: what the encoding alone costs, and how small the file can be."""

import duckdb
from job import perform, read_job

job = read_job()
connection = duckdb.connect(job.options["file"], read_only=True)
threads = job.options.get("threads")
if threads:
    connection.execute(f"SET threads = {int(threads)}")


def move(job) -> None:
    connection.execute(
        f"COPY (FROM {job.options['table']}) TO '{job.file}' "
        f"(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL {job.zstdLevel})"
    )


perform(job, move)
