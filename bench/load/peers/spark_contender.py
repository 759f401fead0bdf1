import os
import sys

from job import read_job
from pyspark.sql import SparkSession

job = read_job()
place = f"{job.host}:{job.port}/{job.database}"
if job.family == "mysql":
    driver = "com.mysql.cj.jdbc.Driver"
    url = (
        f"jdbc:mysql://{place}?tinyInt1isBit=false&zeroDateTimeBehavior=CONVERT_TO_NULL"
        "&sslMode=DISABLED&allowPublicKeyRetrieval=true&connectionTimeZone=UTC"
    )
    # Rows as they come (the driver's way of saying so), neither all at once nor by a cursor, for
    # which the server would copy the table first.
    fetch = "-2147483648"
else:
    driver = "org.postgresql.Driver"
    url = f"jdbc:postgresql://{place}"
    fetch = "10000"

spark = (
    SparkSession.builder.master("local[*]")
    .config("spark.driver.memory", "2g")
    .config("spark.jars", sys.argv[2])
    .config("spark.ui.enabled", "false")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.driver.extraJavaOptions", "-Duser.timezone=UTC")
    .config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
    .config("spark.sql.parquet.compression.codec", "zstd")
    .config("spark.hadoop.parquet.compression.codec.zstd.level", str(job.zstdLevel))
    .getOrCreate()
)
(
    spark.read.format("jdbc")
    .option("url", url)
    .option("driver", driver)
    .option("dbtable", job.table)
    .option("user", job.user)
    .option("password", job.password)
    .option("fetchsize", fetch)
    .load()
    .write.parquet(os.path.join(job.output, "files"))
)
spark.stop()
