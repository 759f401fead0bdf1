import importlib
import os

import duckdb
from job import perform, read_job

SCANNERS = {"mysql": "mysql_scanner", "postgres": "postgres_scanner"}


def extension(name: str) -> str:
    package = importlib.import_module(f"duckdb_extension_{name}")
    folder = os.path.join(os.path.dirname(package.__file__), "extensions", f"v{duckdb.__version__}")
    return os.path.join(folder, f"{name}.duckdb_extension")


job = read_job()
connection = duckdb.connect()
threads = job.options.get("threads")
if threads:
    connection.execute(f"SET threads = {int(threads)}")
connection.execute(f"LOAD '{extension(SCANNERS[job.family])}'")
if job.family == "mysql":
    address = f"host={job.host} port={job.port} user={job.user} password={job.password} database={job.database}"
    table = f"source.{job.database}.{job.table}"
else:
    address = f"host={job.host} port={job.port} user={job.user} password={job.password} dbname={job.database}"
    table = f"source.public.{job.table}"
connection.execute(f"ATTACH '{address}' AS source (TYPE {job.family}, READ_ONLY)")


def move(job) -> None:
    connection.execute(
        f"COPY (FROM {table}) TO '{job.file}' "
        f"(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL {job.zstdLevel})"
    )


perform(job, move)
