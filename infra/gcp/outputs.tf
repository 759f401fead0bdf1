locals {
  on_cluster = { cluster = var.cluster.name }

  on_serverless = {
    serverless = merge(
      {
        serviceAccount = google_service_account.job.email
        stagingBucket  = google_storage_bucket.jobs.name
      },
      var.subnetwork == null ? {} : { subnetwork = var.subnetwork },
    )
  }

  on_ephemeral = {
    ephemeralCluster = merge(
      {
        imageVersion      = var.cluster.image_version
        masterMachineType = var.cluster.master_machine_type
        workerMachineType = var.cluster.worker_machine_type
        workers           = var.cluster.workers
        diskGb            = var.cluster.disk_gb
        internalIpOnly    = true
        serviceAccount    = google_service_account.job.email
        stagingBucket     = google_storage_bucket.jobs.name
        idleTtl           = "${var.cluster.idle_minutes}m"
      },
      var.subnetwork == null ? {} : { subnetwork = var.subnetwork },
      var.kms_key == null ? {} : { kmsKey = var.kms_key },
      [for policy in google_dataproc_autoscaling_policy.lake : { autoscalingPolicy = policy.policy_id }]...
    )
  }

  # The bucket encrypts with var.kms_key by itself. Spark jobs refuse a kmsKey of the connection.
  lake = merge(
    { type = "gcs", bucket = google_storage_bucket.lake.name },
    var.prefix == "" ? {} : { prefix = var.prefix },
  )

  dataproc = merge(
    { type = "dataproc", project = var.project, region = var.region },
    var.platform == "cluster" ? local.on_cluster : {},
    var.platform == "serverless" ? local.on_serverless : {},
    var.platform == "ephemeral" ? local.on_ephemeral : {},
  )

  history = var.dataset == null ? {} : {
    history = {
      type     = "bigquery"
      project  = var.project
      dataset  = var.dataset
      location = var.region
      leases   = "lake"
    }
  }
}

output "connections" {
  description = "For connections.yaml; the databases are yours to add."
  value = join("", concat(
    [yamlencode({ connections = { lake = local.lake, dataproc = local.dataproc } })],
    [for key, value in local.history : yamlencode({ (key) = value })],
  ))
}

output "passwords" {
  description = "What to write as the password of a database, by the name of its secret."
  value       = { for name, secret in google_secret_manager_secret.database : name => "gsm:projects/${var.project}/secrets/${secret.secret_id}" }
}

output "worker_account" {
  description = "Account for workers."
  value       = google_service_account.worker.email
}

output "job_account" {
  description = "Account that jobs run as."
  value       = google_service_account.job.email
}
