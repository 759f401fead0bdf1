locals {
  # Named by the types of what is made here, and what Comporta calls.
  services = toset(concat(
    [
      "dataproc.googleapis.com",
      "logging.googleapis.com",
      "monitoring.googleapis.com",
      "secretmanager.googleapis.com",
      "storage.googleapis.com",
    ],
    var.dataset == null ? [] : ["bigquery.googleapis.com"],
  ))
}

resource "google_project_service" "used" {
  for_each = local.services

  service = each.value
  # Others may use them too.
  disable_on_destroy = false
}
