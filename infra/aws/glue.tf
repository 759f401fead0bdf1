locals {
  # Objects of other buckets, or of other folders, that the job reads.
  jars = [
    for jar in var.glue.jars : "arn:${data.aws_partition.here.partition}:s3:::${trimprefix(jar, "s3://")}"
  ]
}

# Each run brings a script of its own; Glue wants one in the job all the same.
resource "aws_s3_object" "script" {
  bucket = aws_s3_bucket.lake.id
  key    = "${local.folder}_jobs/terraform/ingest_table.py"
  source = "${path.module}/../../jobs/ingest_table.py"
  etag   = var.kms_key_arn == null ? filemd5("${path.module}/../../jobs/ingest_table.py") : null
}

resource "aws_glue_connection" "network" {
  count = var.network == null ? 0 : 1

  name            = var.name
  description     = "Where the databases of Comporta are reached"
  connection_type = "NETWORK"

  physical_connection_requirements {
    subnet_id              = var.network.subnet_id
    availability_zone      = var.network.availability_zone
    security_group_id_list = var.network.security_group_ids
  }
}

resource "aws_glue_job" "ingest" {
  name         = "${var.name}-ingest"
  description  = "Loads of Comporta: one run for each"
  role_arn     = aws_iam_role.job.arn
  glue_version = var.glue.version

  worker_type       = var.glue.worker_type
  number_of_workers = var.glue.workers
  timeout           = var.glue.timeout_minutes
  # How often a load is tried is the pipeline's.
  max_retries = 0

  connections = [for connection in aws_glue_connection.network : connection.name]

  command {
    name            = "glueetl"
    python_version  = "3"
    script_location = "s3://${aws_s3_bucket.lake.id}/${aws_s3_object.script.key}"
  }

  execution_property {
    max_concurrent_runs = var.glue.max_concurrent_runs
  }

  default_arguments = merge(
    { "--job-bookmark-option" = "job-bookmark-disable" },
    length(var.glue.jars) == 0 ? {} : { "--extra-jars" = join(",", var.glue.jars) },
  )
}
