resource "google_bigquery_dataset" "history" {
  count = var.dataset == null ? 0 : 1

  dataset_id  = var.dataset
  location    = var.region
  description = "Historico_Execucao of Comporta"
  # Tables and views in it are Comporta's: Terraform does not delete a dataset that has any.
  delete_contents_on_destroy = false

  dynamic "default_encryption_configuration" {
    for_each = var.kms_key == null ? [] : [var.kms_key]

    content {
      kms_key_name = default_encryption_configuration.value
    }
  }

  depends_on = [google_project_service.used]
}
