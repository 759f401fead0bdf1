locals {
  folder = var.prefix == "" ? "" : "${var.prefix}/"
}

resource "google_storage_bucket" "lake" {
  name                        = var.bucket
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  # Every load replaces files: what was deleted would be kept, and paid for, for a week.
  soft_delete_policy {
    retention_duration_seconds = 0
  }

  # Comporta clears up behind itself. This is for what a load leaves that nobody repeats.
  lifecycle_rule {
    condition {
      age            = var.staging_days
      matches_prefix = ["${local.folder}_staging/"]
    }
    action {
      type = "Delete"
    }
  }

  lifecycle_rule {
    condition {
      age = var.staging_days
    }
    action {
      type = "AbortIncompleteMultipartUpload"
    }
  }

  dynamic "encryption" {
    for_each = var.kms_key == null ? [] : [var.kms_key]

    content {
      default_kms_key_name = encryption.value
    }
  }

  depends_on = [google_project_service.used]
}

# What clusters and batches leave behind, such as the output of jobs.
resource "google_storage_bucket" "jobs" {
  name                        = "${var.bucket}-jobs"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  soft_delete_policy {
    retention_duration_seconds = 0
  }

  lifecycle_rule {
    condition {
      age = 30
    }
    action {
      type = "Delete"
    }
  }

  dynamic "encryption" {
    for_each = var.kms_key == null ? [] : [var.kms_key]

    content {
      default_kms_key_name = encryption.value
    }
  }

  depends_on = [google_project_service.used]
}
