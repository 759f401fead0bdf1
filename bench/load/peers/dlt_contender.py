import functools
import os
import sys

from job import perform, read_job

job = read_job()
# dlt keeps state between runs in its own folders: here each run has fresh ones, beside its answer.
folder = os.path.join(os.path.dirname(sys.argv[1]), "dlt")
os.environ["DLT_DATA_DIR"] = folder
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["DATA_WRITER__COMPRESSION"] = "zstd"
os.environ["NORMALIZE__DATA_WRITER__COMPRESSION"] = "zstd"

import dlt
import pyarrow.parquet
from dlt.destinations import filesystem
from dlt.sources.sql_database import sql_table

# dlt has an option for the codec and none for its level.
pyarrow.parquet.ParquetWriter = functools.partial(
    pyarrow.parquet.ParquetWriter, compression_level=job.zstdLevel
)

backend = job.options["backend"]


def move(job) -> None:
    url = job.url("mysql+pymysql" if job.family == "mysql" else "postgresql+psycopg2")
    table = sql_table(
        credentials=url,
        table=job.table,
        backend=backend,
        chunk_size=100_000,
        backend_kwargs=(
            {"conn": job.url("mysql" if job.family == "mysql" else "postgresql"), "return_type": "arrow_stream"}
            if backend == "connectorx"
            else {}
        ),
    )
    pipeline = dlt.pipeline(
        pipeline_name="bench",
        pipelines_dir=folder,
        destination=filesystem(bucket_url=job.output),
        dataset_name="lake",
    )
    pipeline.run(table, loader_file_format="parquet", write_disposition="replace")


perform(job, move)
