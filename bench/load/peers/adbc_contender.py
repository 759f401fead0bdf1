import adbc_driver_postgresql.dbapi as adbc
from arrow_file import write_batches
from job import perform, read_job

job = read_job()
with adbc.connect(job.url("postgresql")) as connection:

    def move(job) -> None:
        with connection.cursor() as cursor:
            cursor.execute(job.query)
            write_batches(cursor.fetch_record_batch(), job)

    perform(job, move)
