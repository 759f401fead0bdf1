"""What Spark reads: the values of files, the answers of filters, and what it refuses."""

from canonical import answer, canonical, read_job
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql.functions import col

# Spark has no form of its own for these, and refuses to guess one.
GIVEN = {"uuid": "binary", "time": "bigint"}

# Whole numbers instead of dates: Python's own end with the year 9999.
AS_NUMBER = {
    "date": "unix_date({0})",
    "timestamp": "unix_micros({0})",
    "timestamp_ntz": "unix_micros(cast({0} as timestamp))",
}

job = read_job()
spark = (
    SparkSession.builder.master("local[1]")
    .config("spark.driver.memory", "768m")
    .config("spark.driver.host", "127.0.0.1")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.ui.enabled", "false")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.shuffle.partitions", "1")
    .config("spark.sql.warehouse.dir", job["folder"] + "/warehouse")
    .config("spark.sql.files.maxPartitionBytes", "512m")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("OFF")


def quoted(name):
    return "`" + name.replace("`", "``") + "`"


def reader():
    # Dates before 1582 are the proleptic Gregorian ones; Spark asks for lack of its own mark.
    return spark.read.option("datetimeRebaseMode", "CORRECTED")


def given_schema(file):
    """The schema that Spark infers from the columns it can, with the others put in."""
    easy = [c for c in file["columns"] if c["kind"] not in GIVEN]
    if len(easy) == len(file["columns"]):
        return None
    types = {c["name"]: c["spark"] for c in easy}
    types.update({c["name"]: GIVEN[c["kind"]] for c in file["columns"] if c["kind"] in GIVEN})
    return ", ".join(f"{quoted(c['name'])} {types[c['name']]}" for c in file["columns"])


def values_of(file):
    schema = given_schema(file)
    source = reader() if schema is None else reader().schema(schema)
    frame = source.parquet(file["path"])
    assert frame.columns == [column["name"] for column in file["columns"]], frame.columns
    types = [field.dataType.simpleString() for field in frame.schema.fields]
    expressions = [
        AS_NUMBER.get(kind, "{0}").format(quoted(name)) + f" AS c{i}"
        for i, (name, kind) in enumerate(zip(frame.columns, types))
    ]
    rows = frame.selectExpr(*expressions).collect()
    columns = [
        [canonical(c["kind"], c.get("scale", 0), row[i]) for row in rows]
        for i, c in enumerate(file["columns"])
    ]
    return {"types": types, "columns": columns}


def scanned(frame):
    """Rows that the scan handed on, by its own count: those of the pages that it read."""
    frame.collect()
    plan = frame._jdf.queryExecution().executedPlan()
    plan = plan.executedPlan() if plan.getClass().getSimpleName() == "AdaptiveSparkPlanExec" else plan
    leaves = plan.collectLeaves()
    return leaves.apply(0).metrics().apply("numOutputRows").value()


def filtered(question):
    key = col(question["key"])
    try:
        frame = reader().parquet(question["path"])
        frame = frame.where(key.between(question["from"], question["to"])).select(key)
        rows = len(frame.collect())
        return {"rows": rows, "scanned": scanned(frame), "failed": None}
    except (Py4JJavaError, PySparkException) as error:
        return {"rows": 0, "scanned": 0, "failed": str(error)[:2000]}


def refusal(file):
    try:
        spark.read.parquet(file["path"]).collect()
        return None
    except (Py4JJavaError, PySparkException) as error:
        return str(error)[:2000]


answer(
    {
        "version": spark.version,
        "files": {file["path"]: values_of(file) for file in job["files"]},
        "filtered": [filtered(question) for question in job["filtered"]],
        "refused": {file["path"]: refusal(file) for file in job["refused"]},
    }
)
spark.stop()
