# Without values: what stands in a configuration, or in Terraform's state, is no secret.
resource "google_secret_manager_secret" "database" {
  for_each = var.secrets

  secret_id = each.value

  replication {
    user_managed {
      replicas {
        location = var.region

        dynamic "customer_managed_encryption" {
          for_each = var.kms_key == null ? [] : [var.kms_key]

          content {
            kms_key_name = customer_managed_encryption.value
          }
        }
      }
    }
  }

  depends_on = [google_project_service.used]
}
