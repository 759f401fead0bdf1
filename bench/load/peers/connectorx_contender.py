import connectorx
from arrow_file import write_batches
from job import perform, read_job

# As many rows as DuckDB puts into a row group; each batch becomes one.
ROWS = 122_880


def move(job) -> None:
    url = job.url("mysql" if job.family == "mysql" else "postgresql")
    batches = connectorx.read_sql(url, job.query, return_type="arrow_stream", batch_size=ROWS)
    write_batches(batches, job)


perform(read_job(), move)
