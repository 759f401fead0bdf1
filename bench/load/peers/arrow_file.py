"""Record batches to one Parquet file, as they come."""

import pyarrow.parquet as parquet


def write_batches(batches, job) -> None:
    with parquet.ParquetWriter(
        job.file, batches.schema, compression="zstd", compression_level=job.zstdLevel
    ) as writer:
        for batch in batches:
            writer.write_batch(batch)
