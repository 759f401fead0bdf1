"""Runs `jobs/ingest_table.py` for one line of JSON after another, in one session of Spark."""

import json
import os
import sys

import ingest_table
from pyspark.sql import SparkSession

spark = SparkSession.builder.appName("comporta tests").getOrCreate()
spark.sparkContext.setLogLevel("OFF")
print("ready", flush=True)
for line in sys.stdin:
    order = json.loads(line)
    os.environ.update(order["environment"])
    print(json.dumps(ingest_table.run(spark, order["request"], order["attempt"])), flush=True)
spark.stop()
