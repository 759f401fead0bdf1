output "connections" {
  description = "For connections.yaml; the databases are yours to add."
  value = yamlencode({
    connections = {
      lake = merge(
        { type = "s3", bucket = aws_s3_bucket.lake.id, region = var.region },
        var.prefix == "" ? {} : { prefix = var.prefix },
        var.kms_key_arn == null ? {} : { kmsKey = var.kms_key_arn },
      )
      glue = { type = "glue", region = var.region, job = aws_glue_job.ingest.name }
    }
  })
}

output "passwords" {
  description = "What to write as the password of a database, by the name of its secret."
  value       = { for name, secret in aws_secretsmanager_secret.database : name => "asm:${secret.name}" }
}

output "worker_role_arn" {
  description = "Role for workers."
  value       = aws_iam_role.worker.arn
}

output "alerts_topic_arn" {
  description = "Where alarms are told."
  value       = aws_sns_topic.alerts.arn
}
