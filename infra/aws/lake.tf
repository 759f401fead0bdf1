locals {
  folder = var.prefix == "" ? "" : "${var.prefix}/"
}

resource "aws_s3_bucket" "lake" {
  bucket = var.bucket
}

resource "aws_s3_bucket_public_access_block" "lake" {
  bucket                  = aws_s3_bucket.lake.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "lake" {
  bucket = aws_s3_bucket.lake.id

  rule {
    bucket_key_enabled = var.kms_key_arn != null

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

# Comporta clears up behind itself. This is for what a load leaves that nobody repeats.
resource "aws_s3_bucket_lifecycle_configuration" "lake" {
  bucket = aws_s3_bucket.lake.id

  rule {
    id     = "incomplete-uploads"
    status = "Enabled"

    filter {
      prefix = local.folder
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = var.staging_days
    }
  }

  rule {
    id     = "staging"
    status = "Enabled"

    filter {
      prefix = "${local.folder}_staging/"
    }

    expiration {
      days = var.staging_days
    }
  }
}
