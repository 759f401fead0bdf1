"""What PyArrow reads: the values of files, their metadata, and the answers of filters."""

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from canonical import answer, canonical, read_job


def plain(array):
    """The values as Python has them exactly: a far timestamp is no datetime."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if pa.types.is_date32(array.type):
        return array.view(pa.int32()).to_pylist()
    if pa.types.is_timestamp(array.type) or pa.types.is_time64(array.type):
        return array.view(pa.int64()).to_pylist()
    return array.to_pylist()


def values_of(file):
    table = pq.read_table(file["path"])
    assert table.column_names == [column["name"] for column in file["columns"]], table.column_names
    columns = [
        [canonical(c["kind"], c.get("scale", 0), value) for value in plain(table.column(i))]
        for i, c in enumerate(file["columns"])
    ]
    return {"types": [str(t) for t in table.schema.types], "columns": columns}


def bound(raw, kind):
    """A bound as it lies in the file: unscaled, signed, counted from 1970."""
    if kind == "decimal" and isinstance(raw, bytes):
        return str(int.from_bytes(raw, "big", signed=True))
    if kind == "decimal":
        return str(raw)
    return canonical(kind, 0, raw)


def chunk_facts(chunk, column):
    statistics = chunk.statistics
    has_bounds = statistics is not None and statistics.has_min_max
    return {
        "encodings": sorted(chunk.encodings),
        "dictionary": chunk.has_dictionary_page,
        "columnIndex": chunk.has_column_index,
        "offsetIndex": chunk.has_offset_index,
        "codec": chunk.compression,
        "values": chunk.num_values,
        "nulls": None if statistics is None else statistics.null_count,
        "min": bound(statistics.min_raw, column["kind"]) if has_bounds else None,
        "max": bound(statistics.max_raw, column["kind"]) if has_bounds else None,
    }


def metadata_of(file):
    metadata = pq.ParquetFile(file["path"]).metadata
    groups = []
    for g in range(metadata.num_row_groups):
        group = metadata.row_group(g)
        chunks = [chunk_facts(group.column(c), column) for c, column in enumerate(file["columns"])]
        sorting = [[s.column_index, s.descending, s.nulls_first] for s in group.sorting_columns]
        groups.append({"rows": group.num_rows, "chunks": chunks, "sorting": sorting})
    return {"rows": metadata.num_rows, "createdBy": metadata.created_by, "groups": groups}


def filtered(question):
    """Reads rows of a range of keys; `failed` says that data was read that is none."""
    key = ds.field(question["key"])
    condition = (key >= question["from"]) & (key <= question["to"])
    try:
        found = ds.dataset(question["path"]).to_table(filter=condition, columns=[question["key"]])
        return {"rows": found.num_rows, "failed": None}
    except (OSError, pa.ArrowException) as error:
        return {"rows": 0, "failed": str(error)}


job = read_job()
answer(
    {
        "version": pa.__version__,
        "files": {file["path"]: values_of(file) for file in job["files"]},
        "metadata": {file["path"]: metadata_of(file) for file in job["metadata"]},
        "filtered": [filtered(question) for question in job["filtered"]],
    }
)
