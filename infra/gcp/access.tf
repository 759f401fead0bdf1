resource "google_service_account" "worker" {
  account_id   = "${var.name}-worker"
  display_name = "Workers of Comporta"
}

resource "google_service_account" "job" {
  account_id   = "${var.name}-job"
  display_name = "Spark jobs of Comporta"
}

# What the worker does on Dataproc: docs/platforms.md, "Rights".
locals {
  dataproc_permissions = {
    cluster = [
      "dataproc.clusters.get",
      "dataproc.clusters.use",
      "dataproc.jobs.cancel",
      "dataproc.jobs.create",
      "dataproc.jobs.get",
    ]
    ephemeral = [
      "dataproc.autoscalingPolicies.use",
      "dataproc.clusters.create",
      "dataproc.clusters.delete",
      "dataproc.clusters.get",
      "dataproc.clusters.use",
      "dataproc.jobs.cancel",
      "dataproc.jobs.create",
      "dataproc.jobs.get",
    ]
    serverless = [
      "dataproc.batches.create",
      "dataproc.batches.get",
      "dataproc.operations.cancel",
    ]
  }
}

resource "google_project_iam_custom_role" "worker" {
  role_id     = "${replace(var.name, "-", "_")}_worker"
  title       = "Worker of Comporta"
  description = "Submits loads to Dataproc, follows and cancels them"
  permissions = local.dataproc_permissions[var.platform]
}

resource "google_project_iam_member" "worker_dataproc" {
  project = var.project
  role    = google_project_iam_custom_role.worker.id
  member  = google_service_account.worker.member
}

# The worker says which account jobs run as.
resource "google_service_account_iam_member" "worker_as_job" {
  count = var.platform == "cluster" ? 0 : 1

  service_account_id = google_service_account.job.name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.worker.member
}

resource "google_project_iam_member" "job_dataproc" {
  project = var.project
  role    = "roles/dataproc.worker"
  member  = google_service_account.job.member
}

# docs/lake.md, "Permissions in a bucket".
resource "google_storage_bucket_iam_member" "lake" {
  for_each = {
    worker = google_service_account.worker.member
    job    = google_service_account.job.member
  }

  bucket = google_storage_bucket.lake.name
  role   = "roles/storage.objectUser"
  member = each.value
}

resource "google_storage_bucket_iam_member" "job_output" {
  bucket = google_storage_bucket.jobs.name
  role   = "roles/storage.objectUser"
  member = google_service_account.job.member
}

resource "google_storage_bucket_iam_member" "worker_output" {
  bucket = google_storage_bucket.jobs.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.worker.member
}

locals {
  # The worker plans and counts with the same password.
  readers = {
    for pair in setproduct(sort(var.secrets), ["worker", "job"]) :
    "${pair[0]}/${pair[1]}" => { secret = pair[0], account = pair[1] }
  }
}

resource "google_secret_manager_secret_iam_member" "password" {
  for_each = local.readers

  secret_id = google_secret_manager_secret.database[each.value.secret].id
  role      = "roles/secretmanager.secretAccessor"
  member    = each.value.account == "job" ? google_service_account.job.member : google_service_account.worker.member
}

# docs/bigquery.md, "Setting it up".
resource "google_project_iam_member" "worker_queries" {
  count = var.dataset == null ? 0 : 1

  project = var.project
  role    = "roles/bigquery.jobUser"
  member  = google_service_account.worker.member
}

resource "google_bigquery_dataset_iam_member" "worker_history" {
  count = var.dataset == null ? 0 : 1

  dataset_id = google_bigquery_dataset.history[0].dataset_id
  role       = "roles/bigquery.dataEditor"
  member     = google_service_account.worker.member
}
