"""Copies one table from MySQL, MariaDB or PostgreSQL into Parquet files, as a job of Spark 3.5.

    spark-submit ingest_table.py --request <address of a JSON document> --attempt <number>

Comporta's engines `spark`, `dataproc` and `glue` start it. The request says in SQL what to read and
how each value becomes one of the lake's; it holds references to secrets and no secret. The rows are
read by JDBC, one query per range of the table's key, and written by the tasks themselves into the
folder beside the request that is named for the attempt. Last of all `result.json` appears there: what
was written, or why nothing was. The job needs the JDBC driver of the database, pandas and PyArrow.

An address is `file:///folder/…`, `s3://bucket/…` or `gs://bucket/…`. Its query may have `endpoint`,
`region`, and `accessKeyId` and `secretAccessKey` as references (`env:NAME`, `file:PATH`, `gsm:VERSION`,
`asm:ID#KEY`).
"""

import argparse
import base64
import hashlib
import hmac
import json
import os
import posixpath
import re
import sys
import urllib.parse
import urllib.request
import uuid

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import fs
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

DRIVERS = {"mysql": "com.mysql.cj.jdbc.Driver", "postgres": "org.postgresql.Driver"}
# Streams the answer row by row (Connector/J, "ResultSet"): any other number has the driver hold all
# of it, or the server copy it first.
MYSQL_STREAMS = -(2**31)
FILE_BYTES = 1024**3
ROW_GROUP_BYTES = 64 * 1024**2
# Stand for a value that has no faithful form, between Spark's expressions and the writer: no date
# and no timestamp of either database reaches so far.
NO_DAY = -(2**31)
NO_MOMENT = -(2**63)
SUMMARY = "path string, rows long, bytes long, sha256 string, nulls string, counted long, maximum string, invalid long"


class JobError(Exception):
    """A failure in Comporta's words (src/errors.ts)."""

    def __init__(self, code, problem, remedy=None):
        super().__init__(problem)
        self.code = code
        self.problem = problem
        self.remedy = remedy


# Secrets


def read_secret(reference):
    """The value that a reference of the request stands for."""
    kind = reference["from"]
    try:
        if kind == "env":
            return os.environ[reference["name"]]
        if kind == "file":
            with open(reference["path"], encoding="utf-8") as file:
                return without_newline(file.read())
        if kind == "asm":
            return without_newline(aws_secret(reference))
        if kind == "gsm":
            return without_newline(google_secret(reference["version"]))
    except Exception as error:
        name = reference.get("name") or reference.get("path") or reference.get("id") or reference.get("version")
        raise JobError(
            "ConfigurationInvalid",
            f"the job cannot read the secret {kind}:{name}: {type(error).__name__}",
            "make it available where the job's driver runs",
        ) from error
    raise JobError("ConfigurationInvalid", f"the job knows no secrets of the kind {kind}")


def without_newline(text):
    """As editors and `echo` end a text."""
    return re.sub(r"\r?\n\Z", "", text)


def aws_secret(reference):
    """A secret of AWS Secrets Manager, by the job's own credentials. An ARN names its region."""
    import boto3

    arn = re.match(r"arn:[^:]*:secretsmanager:([^:]+):", reference["id"])
    # The worker's variable, which boto3 does not know; without it boto3's own settings decide.
    region = arn[1] if arn else os.environ.get("AWS_REGION")
    client = boto3.client("secretsmanager", region_name=region)
    answer = client.get_secret_value(SecretId=reference["id"])
    text = answer["SecretString"] if "SecretString" in answer else answer["SecretBinary"].decode("utf-8")
    if reference.get("key") is None:
        return text
    value = json.loads(text)[reference["key"]]
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError("no text or number under this key")
    return str(value)


def google_secret(version):
    """A secret of Google Secret Manager, by the service account of the machine."""
    host = os.environ.get("GCE_METADATA_HOST", "metadata.google.internal")
    account = f"http://{host}/computeMetadata/v1/instance/service-accounts/default/token"
    token = fetch_json(account, {"Metadata-Flavor": "Google"})["access_token"]
    endpoint = os.environ.get("COMPORTA_SECRET_MANAGER", "https://secretmanager.googleapis.com")
    found = fetch_json(f"{endpoint}/v1/{version}:access", {"Authorization": f"Bearer {token}"})
    return base64.b64decode(found["payload"]["data"]).decode("utf-8")


def fetch_json(address, headers):
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=30) as answer:
        return json.load(answer)


def parse_reference(text):
    kind, _, rest = text.partition(":")
    if kind == "asm":
        name, _, key = rest.partition("#")
        return {"from": kind, "id": name, **({"key": key} if key else {})}
    return {"from": kind, {"env": "name", "file": "path", "gsm": "version"}[kind]: rest}


# The lake


class Lake:
    """Files of the lake by their paths; crosses to the tasks as its address."""

    def __init__(self, address):
        self.address = address
        parts = urllib.parse.urlsplit(address)
        self.path = urllib.parse.unquote(f"{parts.netloc}{parts.path}")
        self.scheme = parts.scheme
        self._options = dict(urllib.parse.parse_qsl(parts.query))
        self._opened = None

    def __reduce__(self):
        return (Lake, (self.address,))

    def _files(self):
        if self._opened is None:
            self._opened = self._open()
        return self._opened

    def _open(self):
        options = self._options
        endpoint = urllib.parse.urlsplit(options["endpoint"]) if "endpoint" in options else None
        where = {} if endpoint is None else {"scheme": endpoint.scheme, "endpoint_override": endpoint.netloc}
        if self.scheme == "file":
            return fs.LocalFileSystem()
        if self.scheme in ("s3", "s3a"):
            if "region" in options:
                where["region"] = options["region"]
            if "accessKeyId" in options:
                where["access_key"] = read_secret(parse_reference(options["accessKeyId"]))
                where["secret_key"] = read_secret(parse_reference(options["secretAccessKey"]))
            return fs.S3FileSystem(**where)
        if self.scheme == "gs":
            return fs.GcsFileSystem(anonymous=endpoint is not None, **where)
        raise JobError("ConfigurationInvalid", f"the job knows no lake of the kind {self.scheme}")

    def make_folder(self, path):
        if self.scheme == "file":
            self._files().create_dir(path, recursive=True)

    def create(self, path):
        return self._files().open_output_stream(path)

    def read_json(self, path):
        with self._files().open_input_stream(path) as stream:
            return json.loads(stream.read())

    def write_json(self, path, document):
        """Appears whole: an object does by itself."""
        written = f"{path}.{uuid.uuid4().hex}" if self.scheme == "file" else path
        with self.create(written) as stream:
            stream.write(json.dumps(document).encode("utf-8"))
        if written != path:
            self._files().move(written, path)


# Parquet. What PyArrow writes is right but for some annotations, which older releases do not know and
# none can be told: they are set in the footer, which is Thrift's compact protocol
# (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md).

TRUE, FALSE, BYTE, DOUBLE, BINARY, LIST, SET, STRUCT = 1, 2, 3, 7, 8, 9, 10, 12
I32 = 5


class ThriftReader:
    """Reads a struct as `[field id, type, value]`; numbers stay as they are written."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def varint(self):
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def take(self, length):
        self.at += length
        return self.data[self.at - length : self.at]

    def value(self, kind):
        if kind in (BYTE, TRUE, FALSE):
            return self.take(1)
        if kind == DOUBLE:
            return self.take(8)
        if kind == BINARY:
            return self.take(self.varint())
        if kind in (LIST, SET):
            head = self.take(1)[0]
            count = self.varint() if head >> 4 == 15 else head >> 4
            return head & 15, [self.value(head & 15) for _ in range(count)]
        if kind == STRUCT:
            return self.struct()
        return self.varint()

    def struct(self):
        fields, last = [], 0
        while True:
            head = self.take(1)[0]
            if head == 0:
                return fields
            kind = head & 15
            last = last + (head >> 4) if head >> 4 else unzigzag(self.varint())
            fields.append([last, kind, None if kind in (TRUE, FALSE) else self.value(kind)])


def unzigzag(value):
    return (value >> 1) ^ -(value & 1)


def zigzag(value):
    return value << 1 if value >= 0 else (-value << 1) - 1


def write_varint(out, value):
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


def write_value(out, kind, value):
    if kind == BINARY:
        write_varint(out, len(value))
        out += value
    elif kind in (BYTE, TRUE, FALSE, DOUBLE):
        out += value
    elif kind in (LIST, SET):
        inner, values = value
        out.append(min(len(values), 15) << 4 | inner)
        if len(values) >= 15:
            write_varint(out, len(values))
        for one in values:
            write_value(out, inner, one)
    elif kind == STRUCT:
        write_struct(out, value)
    else:
        write_varint(out, value)


def write_struct(out, fields):
    last = 0
    for field, kind, value in sorted(fields, key=lambda entry: entry[0]):
        if 0 < field - last < 16:
            out.append((field - last) << 4 | kind)
        else:
            out.append(kind)
            write_varint(out, zigzag(field))
        if value is not None:
            write_value(out, kind, value)
        last = field
    out.append(0)


# `parquet.thrift`: fields of SchemaElement, members of LogicalType, values of ConvertedType.
SCHEMA, KEY_VALUES, CONVERTED, LOGICAL = 2, 5, 6, 10
LOCAL = [1, FALSE, None]
MICROS = [2, STRUCT, [[2, STRUCT, []]]]
ANNOTATIONS = {
    "json": (19, [[12, STRUCT, []]]),
    "uuid": (None, [[14, STRUCT, []]]),
    "time": (8, [[7, STRUCT, [LOCAL, MICROS]]]),
    "timestamp": (10, [[8, STRUCT, [LOCAL, MICROS]]]),
    "int32": (17, [[10, STRUCT, [[1, BYTE, bytes([32])], [2, TRUE, None]]]]),
    "int64": (18, [[10, STRUCT, [[1, BYTE, bytes([64])], [2, TRUE, None]]]]),
}


def annotation(kind):
    """What PyArrow leaves out or says otherwise of a type; None where it is right."""
    if kind["kind"] == "int":
        return ANNOTATIONS.get(f"int{kind['bits']}") if kind["signed"] else None
    return None if kind.get("utc") else ANNOTATIONS.get(kind["kind"])


def annotated(footer, columns, metadata):
    """A file's footer with the lake's annotations and key-value metadata."""
    fields = ThriftReader(footer).struct()
    by_id = {field: value for field, _, value in fields}
    elements = by_id[SCHEMA][1][1:]
    for column, element in zip(columns, elements):
        missing = annotation(column["type"])
        if missing is None:
            continue
        converted, logical = missing
        element[:] = [entry for entry in element if entry[0] not in (CONVERTED, LOGICAL)]
        if converted is not None:
            element.append([CONVERTED, I32, zigzag(converted)])
        element.append([LOGICAL, STRUCT, logical])
    pairs = [[[1, BINARY, key.encode()], [2, BINARY, value.encode()]] for key, value in metadata.items()]
    fields = [entry for entry in fields if entry[0] != KEY_VALUES]
    fields.append([KEY_VALUES, LIST, (STRUCT, pairs)])
    out = bytearray()
    write_struct(out, fields)
    return bytes(out)


class MeasuredSink:
    """Passes bytes on, counts and sums them; keeps back what comes once `hold` is called."""

    def __init__(self, stream):
        self.stream = stream
        self.digest = hashlib.sha256()
        self.bytes = 0
        self.held = None
        self.closed = False

    def write(self, data):
        data = bytes(data)
        if self.held is None:
            self.pass_on(data)
        else:
            self.held += data
        return len(data)

    def pass_on(self, data):
        self.digest.update(data)
        self.bytes += len(data)
        self.stream.write(data)

    def tell(self):
        return self.bytes + len(self.held or b"")

    def hold(self):
        self.held = bytearray()

    def flush(self):
        pass

    def close(self):
        pass


class PartFile:
    """One Parquet file, being written."""

    def __init__(self, lake, path, job):
        self.path = path
        self.job = job
        self.rows = 0
        self.nulls = [0] * len(job["columns"])
        self.stream = lake.create(path)
        self.sink = MeasuredSink(self.stream)
        codec = job["compression"]
        options = {"compression_level": codec["level"]} if codec["name"] == "zstd" else {}
        if int(pa.__version__.split(".")[0]) >= 17:
            options["store_decimal_as_integer"] = True
        self.writer = pq.ParquetWriter(
            pa.PythonFile(self.sink, mode="w"),
            arrow_schema(job["columns"]),
            compression=codec["name"],
            store_schema=False,
            version="2.6",
            **options,
        )

    def write(self, table):
        self.writer.write_table(table, row_group_size=max(1, table.num_rows))
        self.rows += table.num_rows
        for index, column in enumerate(table.columns):
            self.nulls[index] += column.null_count

    def finish(self):
        self.sink.hold()
        self.writer.close()
        held = bytes(self.sink.held)
        length = int.from_bytes(held[-8:-4], "little")
        footer = annotated(held[-8 - length : -8], self.job["columns"], self.job["metadata"])
        self.sink.pass_on(held[: -8 - length] + footer + len(footer).to_bytes(4, "little") + b"PAR1")
        self.stream.close()
        return {
            "path": posixpath.basename(self.path),
            "rows": self.rows,
            "bytes": self.sink.bytes,
            "sha256": self.sink.digest.hexdigest(),
            "nulls": json.dumps(self.nulls),
        }


def arrow_schema(columns):
    return pa.schema([pa.field(column["name"], arrow_type(column["type"])) for column in columns])


def arrow_type(kind):
    name = kind["kind"]
    if name == "int":
        return getattr(pa, f"{'' if kind['signed'] else 'u'}int{kind['bits']}")()
    if name == "decimal":
        return pa.decimal128(kind["precision"], kind["scale"])
    if name == "timestamp":
        return pa.timestamp("us", tz="UTC" if kind["utc"] else None)
    return {
        "boolean": pa.bool_(),
        "float": pa.float32(),
        "double": pa.float64(),
        "text": pa.string(),
        "json": pa.string(),
        "uuid": pa.binary(16),
        "binary": pa.binary(),
        "wkb": pa.binary(),
        "date": pa.date32(),
        "time": pa.time64("us"),
        "duration": pa.int64(),
    }[name]


# From a row of JDBC to a row of the lake. What has a rule is an expression of Spark, column by column;
# the tasks' Python only names the types anew and masks.


def name_of(index):
    """A column's name on its way: Spark asks for columns in the order of the table or of the alphabet."""
    return f"c{index:05d}"


def jdbc_value(column, index):
    """Spark's expression for a column: a value, or one of the two marks, or an error of the query."""
    raw = F.col(name_of(index))
    kind, form = column["type"], column["form"]
    if form == "digits":
        return checked(column, index, raw, number_of(raw, kind))
    if form == "moment":
        return checked(column, index, raw, moment_of(raw, kind, name_of(index)))
    if form == "since2000":
        return checked(column, index, raw, since_2000(raw, kind))
    if form == "hyphenated":
        return checked(column, index, raw, F.unhex(F.regexp_replace(raw, "-", "")))
    if form == "hexadecimal":
        return checked(column, index, raw, F.unhex(raw))
    if form == "prefixed":
        return checked(column, index, raw, F.when(F.length(raw) > 4, F.expr(f"substring({name_of(index)}, 5)")))
    simple = {"boolean": "boolean", "int": "bigint", "time": "bigint", "float": "float", "double": "double"}
    return raw.cast(simple[kind["kind"]]) if kind["kind"] in simple else raw


def checked(column, index, raw, value):
    """`value`, where there is one; what is done with a value that has none is the pipeline's to say."""
    if column.get("invalidDates") == "null":
        missing = F.lit(NO_DAY if column["type"]["kind"] == "date" else NO_MOMENT)
    else:
        shown = F.substring(raw.cast("string"), 1, 64)
        missing = F.raise_error(F.concat(F.lit(f"comporta:ValueUnfaithful:{index}:"), shown))
    return F.when(raw.isNotNull(), F.coalesce(value, missing))


def number_of(raw, kind):
    if kind["kind"] == "decimal":
        return raw.cast(f"decimal({kind['precision']},{kind['scale']})")
    number = raw.cast("decimal(20,0)")
    # The bits of an unsigned number of 64.
    most, all_values = (F.lit(str(bound)).cast("decimal(20,0)") for bound in (2**63 - 1, 2**64))
    return F.when(number > most, (number - all_values).cast("bigint")).otherwise(number.cast("bigint"))


def moment_of(raw, kind, name):
    """A date in days, a timestamp or a span in microseconds, from what MySQL prints."""
    part = lambda start, length: F.substring(raw, start, length).cast("int")
    if kind["kind"] == "duration":
        sign = F.when(raw.startswith("-"), F.lit(-1)).otherwise(F.lit(1)).cast("bigint")
        fields = F.split(F.regexp_replace(raw, "^-", ""), "[:.]")
        seconds = (fields[0].cast("bigint") * 60 + fields[1].cast("bigint")) * 60 + fields[2].cast("bigint")
        return sign * (seconds * 1_000_000 + fraction(raw))
    # NULL for a day that no calendar has.
    year, month, day = (f"cast(substring({name}, {start}, {length}) as int)" for start, length in ((1, 4), (6, 2), (9, 2)))
    days = F.expr(f"unix_date(make_date({year}, {month}, {day}))")
    if kind["kind"] == "date":
        return days
    seconds = (part(12, 2) * 60 + part(15, 2)) * 60 + part(18, 2)
    return days.cast("bigint") * 86_400_000_000 + seconds.cast("bigint") * 1_000_000 + fraction(raw)


def fraction(raw):
    """The microseconds behind the point, of any number of digits; 0 without."""
    digits = F.regexp_extract(raw, r"\.(\d+)$", 1)
    return F.rpad(digits, 6, "0").cast("bigint")


def since_2000(raw, kind):
    if kind["kind"] == "date":
        is_endless = raw.isin(2**31 - 1, -(2**31))
        return F.when(~is_endless, (raw + 10_957).cast("int"))
    shift = 946_684_800_000_000
    return F.when((raw <= F.lit(2**63 - 1 - shift)) & (raw != F.lit(-(2**63))), raw + F.lit(shift))


def masker_of(mask):
    """A function from a value's UTF-8 to what the lake may hold, as src/pipeline/mask.ts has it."""
    method = mask["method"]
    if method == "redact":
        return lambda value: mask["text"]
    if method == "partial":
        return lambda value: partially(value.decode("utf-8"), mask["keepStart"], mask["keepEnd"])
    reference = mask["salt" if method == "sha256" else "key"]
    key = read_secret(reference).encode("utf-8")
    if key == b"":
        raise JobError(
            "ConfigurationInvalid",
            "a masking secret is empty",
            "give it a long random value, for example the output of: openssl rand -hex 32",
        )
    if method == "sha256":
        return lambda value: hashlib.sha256(key + value).hexdigest()
    return lambda value: hmac.new(key, value, hashlib.sha256).hexdigest()


def partially(text, keep_start, keep_end):
    hidden = len(text) - keep_start - keep_end
    if hidden <= 0:
        return "*" * len(text)
    return text[:keep_start] + "*" * hidden + text[keep_start + hidden :]


def lake_column(array, column, masker):
    """A column of Spark's as one of the lake's, and how many of its values became NULL."""
    kind = column["type"]["kind"]
    target = arrow_type(column["type"])
    if masker is not None:
        values = (None if value is None else masker(value.encode("utf-8")) for value in array.to_pylist())
        return pa.array(values, pa.string()), 0
    if column.get("invalidDates") == "null":
        mark = pa.scalar(NO_DAY if kind == "date" else NO_MOMENT, array.type)
        invalid = pc.equal(array, mark)
        count = pc.sum(invalid).as_py() or 0
        if count > 0:
            array = pc.if_else(invalid, pa.scalar(None, array.type), array)
    else:
        count = 0
    if kind == "int" and column["type"]["bits"] == 64:
        array = array.view(target)
    elif kind in ("date", "time", "timestamp"):
        array = array.view(target)
    elif kind == "uuid":
        array = pa.array(array.to_pylist(), target)
    return array.cast(target), count


def write_parts(job, lake, folder, maskers):
    """The function that a task runs over its rows: it writes files and yields what there is to say of them."""
    columns = job["columns"]
    schema = arrow_schema(columns)

    def run(batches):
        name = uuid.uuid4().hex
        finished, part, waiting, waiting_bytes = [], None, [], 0
        counted, maximum, invalid = None, None, 0
        for batch in batches:
            count, largest = batch.column(len(columns)), batch.column(len(columns) + 1)
            if count.null_count < len(count):
                last = [at for at, value in enumerate(count.to_pylist()) if value is not None]
                counted, maximum = count[last[0]].as_py(), largest[last[0]].as_py()
                batch = batch.filter(pc.is_null(count))
            if batch.num_rows == 0:
                continue
            arrays = []
            for index, column in enumerate(columns):
                array, odd = lake_column(batch.column(index), column, maskers[index])
                arrays.append(array)
                invalid += odd
            table = pa.Table.from_arrays(arrays, schema=schema)
            waiting.append(table)
            waiting_bytes += table.nbytes
            if waiting_bytes >= ROW_GROUP_BYTES:
                part = part or PartFile(lake, f"{folder}/part-{name}-{len(finished)}.parquet", job)
                part.write(pa.concat_tables(waiting).combine_chunks())
                waiting, waiting_bytes = [], 0
                if part.sink.bytes >= FILE_BYTES:
                    finished.append(part.finish())
                    part = None
        if waiting:
            part = part or PartFile(lake, f"{folder}/part-{name}-{len(finished)}.parquet", job)
            part.write(pa.concat_tables(waiting).combine_chunks())
        if part is not None:
            finished.append(part.finish())
        finished.append({"counted": counted, "maximum": maximum, "invalid": invalid})
        fields = ["path", "rows", "bytes", "sha256", "nulls", "counted", "maximum", "invalid"]
        text = ("path", "sha256", "nulls", "maximum")
        yield pa.RecordBatch.from_arrays(
            [
                pa.array([entry.get(field) for entry in finished], pa.string() if field in text else pa.int64())
                for field in fields
            ],
            names=fields,
        )

    return run


# The source


def jdbc_address(source):
    host = f"[{source['host']}]" if ":" in source["host"] else source["host"]
    scheme = "mysql" if source["dialect"] == "mysql" else "postgresql"
    return f"jdbc:{scheme}://{host}:{source['port']}/{urllib.parse.quote(source['database'], safe='')}"


def jdbc_properties(source):
    password = None if source.get("password") is None else read_secret(source["password"])
    login = {"user": source["user"], **({} if password is None else {"password": password})}
    if source["dialect"] == "mysql":
        modes = {
            "disable": "DISABLED",
            "prefer": "PREFERRED",
            "require": "REQUIRED",
            "verify-ca": "VERIFY_CA",
            "verify-full": "VERIFY_IDENTITY",
        }
        return {
            **login,
            "sslMode": modes[source["tls"]],
            "allowPublicKeyRetrieval": "true",
            "connectTimeout": str(source["connectTimeoutMs"]),
            "characterEncoding": "UTF-8",
            "characterSetResults": "UTF-8",
            "connectionTimeZone": "UTC",
            "tinyInt1isBit": "false",
            "yearIsDateType": "false",
            "tcpKeepAlive": "true",
        }
    return {
        **login,
        "sslmode": source["tls"],
        "connectTimeout": str(max(1, -(-source["connectTimeoutMs"] // 1000))),
        "tcpKeepAlive": "true",
        "ApplicationName": "comporta",
    }


def statements(job):
    """
    Per range of the table the SELECT of its rows, and behind them one more row: how many there are,
    and the cursor's largest value. Both are of one statement, and so of one moment.
    """
    columns = job["columns"]
    is_mysql = job["source"]["dialect"] == "mysql"
    number, text = ("SIGNED", "CHAR(1024)") if is_mysql else ("int8", "text")
    quote = "`" if is_mysql else '"'
    named = [f"{column['sql']} AS {quote}{name_of(index)}{quote}" for index, column in enumerate(columns)]
    marks = [f"CAST(NULL AS {number}) AS {quote}x0{quote}", f"CAST(NULL AS {text}) AS {quote}x1{quote}"]
    nothing = ["NULL"] * len(columns)
    for rows in job["reads"]:
        selected = f"SELECT {', '.join(named + marks)}{rows}"
        last = ["COUNT(*)", job.get("maximum") or "NULL"]
        yield selected, f"SELECT {', '.join(nothing + last)}{rows}"


def read_rows(spark, job, properties, session):
    """
    A DataFrame of one partition per range. Spark makes of each `SELECT … FROM (first) q WHERE predicate`
    and hands the predicate on as it is: an impossible one, followed by the statements that are meant, at
    the top, where MySQL sends the rows of a UNION ALL on as they come. Inside of a FROM it would first
    gather all of them in a temporary table.
    """
    pairs = list(statements(job))
    is_mysql = job["source"]["dialect"] == "mysql"
    predicates = [f"1 = 0 UNION ALL {rows} UNION ALL {count}" for rows, count in pairs]
    options = {
        **properties,
        "driver": DRIVERS[job["source"]["dialect"]],
        "fetchsize": str(MYSQL_STREAMS if is_mysql else job["fetchRows"]),
        "sessionInitStatement": session,
        "pushDownPredicate": "false",
    }
    return spark.read.jdbc(
        jdbc_address(job["source"]), f"({pairs[0][0]}) q", predicates=predicates, properties=options
    )


class SharedSnapshot:
    """
    A transaction of PostgreSQL whose snapshot the tasks' own see, with the table locked against ALTER
    and TRUNCATE. It is the driver's: it lives as long as the job.
    """

    def __init__(self, spark, job, properties):
        jvm = spark._jvm
        given = jvm.java.util.Properties()
        for name, value in properties.items():
            given.setProperty(name, value)
        loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
        driver = loader.loadClass(DRIVERS["postgres"]).newInstance()
        self.connection = driver.connect(jdbc_address(job["source"]), given)
        self.connection.setAutoCommit(False)
        self.execute(f"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; {job['session']}")
        self.execute(job["lock"])
        answer = self.connection.createStatement().executeQuery("SELECT pg_export_snapshot()")
        answer.next()
        self.name = answer.getString(1)

    def execute(self, statement):
        self.connection.createStatement().execute(statement)

    def session(self, settings):
        begin = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
        return f"{begin}; SET TRANSACTION SNAPSHOT '{self.name}'; {settings}"

    def close(self):
        self.connection.close()


# The job


def ingest(spark, job, lake, folder):
    """Moves the table; answers the result document."""
    spark.conf.set("spark.sql.ansi.enabled", "false")
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    spark.conf.set("spark.sql.legacy.charVarcharAsString", "true")
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", str(job["fetchRows"]))
    columns = job["columns"]
    maskers = [None if column.get("mask") is None else masker_of(column["mask"]) for column in columns]
    properties = jdbc_properties(job["source"])
    shared = None
    try:
        session = job["session"]
        if len(job["reads"]) > 1 and job["source"]["dialect"] == "postgres":
            shared = SharedSnapshot(spark, job, properties)
            session = shared.session(session)
        rows = read_rows(spark, job, properties, session)
        values = [jdbc_value(column, index).alias(name_of(index)) for index, column in enumerate(columns)]
        lake.make_folder(folder)
        parts = rows.select(*values, "x0", "x1").mapInArrow(write_parts(job, lake, folder, maskers), SUMMARY).collect()
    finally:
        if shared is not None:
            shared.close()
    ends = [part for part in parts if part["path"] is None]
    if len(ends) != len(job["reads"]) or any(end["counted"] is None for end in ends):
        raise JobError("SourceInterrupted", "an answer of the source ended before its last row")
    files = [part.asDict() for part in parts if part["path"] is not None]
    if not files:
        # A table without rows still has a file, which carries its columns.
        files = [PartFile(lake, f"{folder}/part-empty.parquet", job).finish()]
    maximum = next((end["maximum"] for end in ends if end["maximum"] is not None), None)
    return {
        "rowsAtSource": sum(end["counted"] for end in ends),
        "rowsRead": sum(file["rows"] for file in files),
        "invalidValues": sum(end["invalid"] for end in ends),
        "maximum": maximum,
        "columns": [{"name": column["name"], "type": column["type"]} for column in columns],
        "files": [
            {**{name: file[name] for name in ("path", "rows", "bytes", "sha256")}, "nulls": json.loads(file["nulls"])}
            for file in files
        ],
    }


KNOWN_PROBLEMS = (
    (r"Access denied for user|password authentication failed|no password was provided", "AuthenticationFailed"),
    (r"command denied to user|permission denied for", "PermissionDenied"),
    (r"Communications link failure|connection attempt failed|Connection to \S+ refused|I/O error occurred", "ConnectionFailed"),
    (r"invalid snapshot identifier|conflict with recovery|administrator command|Query execution was interrupted", "SourceInterrupted"),
)


def job_error(error, job):
    """Anything thrown, in Comporta's words."""
    if isinstance(error, JobError):
        return error
    text = str(error)
    unfaithful = re.search(r"comporta:ValueUnfaithful:(\d+):([^\n]*)", text)
    if unfaithful is not None:
        column = job["columns"][int(unfaithful[1])]
        name = column["name"]
        return JobError(
            "ValueUnfaithful",
            f"column {name} ({column['sourceType']}) holds {unfaithful[2][:64]}, which has no faithful form",
            f"correct the row, set invalidDates to null or text, or exclude {name}"
            if column.get("invalidDates") == "fail"
            else f"list {name} under columns.text, or exclude it",
        )
    missing = re.search(r"ClassNotFoundException: (com\.mysql\.cj\.jdbc\.Driver|org\.postgresql\.Driver)", text)
    if missing is not None:
        return JobError(
            "ConfigurationInvalid",
            f"Spark does not have the JDBC driver {missing[1]}",
            "give it to spark-submit, for example by --packages",
        )
    line = problem_line(text)
    for pattern, code in KNOWN_PROBLEMS:
        if re.search(pattern, text):
            return JobError(code, line)
    return JobError("EngineFailed", f"the Spark job failed: {line}")


def problem_line(text):
    """The line that says most: the innermost cause, without its stack."""
    causes = re.findall(r"^(?:Caused by: |: )?((?:[\w$]+\.)+\w*(?:Exception|Error): [^\n]+)", text, re.M)
    return (causes[-1] if causes else text.strip().split("\n")[0])[:500]


def run(spark, address, attempt):
    """Does what a request says and leaves the result beside it. True where the table was moved."""
    lake = Lake(address)
    folder = f"{posixpath.dirname(lake.path)}-{attempt}"
    job = lake.read_json(lake.path)
    try:
        result = ingest(spark, job, lake, folder)
    except Exception as error:
        known = job_error(error, job)
        print(f"comporta: {known.code}: {known.problem}", file=sys.stderr)
        lake.make_folder(folder)
        failure = {"code": known.code, "problem": known.problem, "remedy": known.remedy}
        lake.write_json(f"{folder}/result.json", {"error": failure})
        return False
    lake.write_json(f"{folder}/result.json", result)
    return True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--request", required=True)
    parser.add_argument("--attempt", required=True, type=int)
    # A platform adds arguments of its own.
    given, _ = parser.parse_known_args()
    spark = SparkSession.builder.appName("comporta").getOrCreate()
    moved = run(spark, given.request, given.attempt)
    spark.stop()
    # A program that runs this script within itself may take any SystemExit for a failure.
    if not moved:
        sys.exit(1)


if __name__ == "__main__":
    main()
