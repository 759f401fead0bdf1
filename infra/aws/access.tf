# What the worker and the job have in common: docs/lake.md, "Permissions in a bucket".
data "aws_iam_policy_document" "lake" {
  statement {
    sid       = "LakeBucket"
    actions   = ["s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:GetBucketLocation"]
    resources = [aws_s3_bucket.lake.arn]
  }

  statement {
    sid = "LakeObjects"
    actions = [
      "s3:GetObject",
      "s3:PutObject",
      "s3:DeleteObject",
      "s3:AbortMultipartUpload",
      "s3:ListMultipartUploadParts",
    ]
    resources = ["${aws_s3_bucket.lake.arn}/${local.folder}*"]
  }

  dynamic "statement" {
    for_each = length(var.secrets) == 0 ? [] : [1]

    content {
      sid       = "Passwords"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = [for secret in aws_secretsmanager_secret.database : secret.arn]
    }
  }

  dynamic "statement" {
    for_each = var.kms_key_arn == null ? [] : [var.kms_key_arn]

    content {
      sid       = "Key"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [statement.value]
    }
  }
}

# The worker: docs/platforms.md, "Glue".
data "aws_iam_policy_document" "worker" {
  source_policy_documents = [data.aws_iam_policy_document.lake.json]

  statement {
    sid = "Runs"
    actions = [
      "glue:GetJob",
      "glue:StartJobRun",
      "glue:GetJobRun",
      "glue:GetJobRuns",
      "glue:BatchStopJobRun",
    ]
    resources = [aws_glue_job.ingest.arn]
  }

  statement {
    sid       = "LastWords"
    actions   = ["logs:GetLogEvents"]
    resources = [for log in ["error", "output"] : "${local.logs}:log-group:/aws-glue/jobs/${log}:log-stream:*"]
  }

  statement {
    sid       = "OwnLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.worker.arn}:*"]
  }
}

data "aws_iam_policy_document" "worker_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = var.worker_services
    }
  }
}

resource "aws_iam_role" "worker" {
  name               = "${var.name}-worker"
  description        = "Workers of Comporta"
  assume_role_policy = data.aws_iam_policy_document.worker_trust.json
}

resource "aws_iam_role_policy" "worker" {
  name   = "comporta"
  role   = aws_iam_role.worker.id
  policy = data.aws_iam_policy_document.worker.json
}

data "aws_caller_identity" "here" {}
data "aws_partition" "here" {}

locals {
  account = data.aws_caller_identity.here.account_id
  logs    = "arn:${data.aws_partition.here.partition}:logs:${var.region}:${local.account}"
  glue    = "arn:${data.aws_partition.here.partition}:glue:${var.region}:${local.account}"
  ec2     = "arn:${data.aws_partition.here.partition}:ec2:${var.region}:${local.account}"
}

# The job: as much of the managed policy AWSGlueServiceRole as a job in a subnet needs.
data "aws_iam_policy_document" "job" {
  source_policy_documents = [data.aws_iam_policy_document.lake.json]

  statement {
    sid       = "Logs"
    actions   = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${local.logs}:log-group:/aws-glue/*"]
  }

  statement {
    sid       = "Metrics"
    actions   = ["cloudwatch:PutMetricData"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "cloudwatch:namespace"
      values   = ["Glue"]
    }
  }

  dynamic "statement" {
    for_each = length(local.jars) == 0 ? [] : [1]

    content {
      sid       = "Drivers"
      actions   = ["s3:GetObject"]
      resources = local.jars
    }
  }

  dynamic "statement" {
    for_each = var.network == null ? [] : [1]

    content {
      sid       = "Connection"
      actions   = ["glue:GetConnection"]
      resources = ["${local.glue}:catalog", "${local.glue}:connection/${var.name}"]
    }
  }

  dynamic "statement" {
    for_each = var.network == null ? [] : [1]

    content {
      sid = "LookAtNetwork"
      actions = [
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeRouteTables",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcAttribute",
        "ec2:DescribeVpcEndpoints",
      ]
      resources = ["*"]
    }
  }

  dynamic "statement" {
    for_each = var.network == null ? [] : [var.network]

    content {
      sid     = "JoinNetwork"
      actions = ["ec2:CreateNetworkInterface"]
      resources = concat(
        ["${local.ec2}:network-interface/*", "${local.ec2}:subnet/${statement.value.subnet_id}"],
        [for group in statement.value.security_group_ids : "${local.ec2}:security-group/${group}"],
      )
    }
  }

  dynamic "statement" {
    for_each = var.network == null ? [] : [1]

    content {
      sid       = "LeaveNetwork"
      actions   = ["ec2:DeleteNetworkInterface", "ec2:CreateTags"]
      resources = ["${local.ec2}:network-interface/*"]
    }
  }
}

data "aws_iam_policy_document" "job_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["glue.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}

resource "aws_iam_role" "job" {
  name               = "${var.name}-job"
  description        = "The Glue job of Comporta"
  assume_role_policy = data.aws_iam_policy_document.job_trust.json
}

resource "aws_iam_role_policy" "job" {
  name   = "comporta"
  role   = aws_iam_role.job.id
  policy = data.aws_iam_policy_document.job.json
}
