# Without values: what stands in a configuration, or in Terraform's state, is no secret.
resource "aws_secretsmanager_secret" "database" {
  for_each = var.secrets

  name        = each.value
  description = "Password of a database that Comporta reads"
  kms_key_id  = var.kms_key_arn
}
