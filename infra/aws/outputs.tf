output "connections" {
  description = "For connections.yaml; the databases are yours to add."
  value = yamlencode({
    connections = {
      # The bucket encrypts with var.kms_key_arn by itself. Spark jobs refuse a kmsKey of the connection.
      lake = merge(
        { type = "s3", bucket = aws_s3_bucket.lake.id, region = var.region },
        var.prefix == "" ? {} : { prefix = var.prefix },
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
