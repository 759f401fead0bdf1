resource "google_dataproc_autoscaling_policy" "lake" {
  count = var.platform == "serverless" ? 0 : 1

  policy_id = var.name
  location  = var.region

  worker_config {
    min_instances = var.cluster.workers
    max_instances = var.cluster.workers
  }

  secondary_worker_config {
    min_instances = 0
    max_instances = var.cluster.secondary_workers_max
  }

  basic_algorithm {
    cooldown_period = "2m"

    yarn_config {
      graceful_decommission_timeout = "1h"
      scale_up_factor               = 1.0
      scale_down_factor             = 1.0
    }
  }

  depends_on = [google_project_service.used]
}

resource "google_dataproc_cluster" "lake" {
  count = var.platform == "cluster" ? 1 : 0

  name                          = var.cluster.name
  region                        = var.region
  graceful_decommission_timeout = "3600s"

  cluster_config {
    staging_bucket = google_storage_bucket.jobs.name

    gce_cluster_config {
      subnetwork             = var.subnetwork
      internal_ip_only       = true
      service_account        = google_service_account.job.email
      service_account_scopes = ["cloud-platform"]
    }

    master_config {
      num_instances = 1
      machine_type  = var.cluster.master_machine_type

      disk_config {
        boot_disk_size_gb = var.cluster.disk_gb
      }
    }

    worker_config {
      num_instances = var.cluster.workers
      machine_type  = var.cluster.worker_machine_type

      disk_config {
        boot_disk_size_gb = var.cluster.disk_gb
      }
    }

    software_config {
      image_version = var.cluster.image_version
    }

    autoscaling_config {
      policy_uri = google_dataproc_autoscaling_policy.lake[0].name
    }

    dynamic "encryption_config" {
      for_each = var.kms_key == null ? [] : [var.kms_key]

      content {
        kms_key_name = encryption_config.value
      }
    }
  }

  depends_on = [
    google_project_iam_member.job_dataproc,
    google_storage_bucket_iam_member.job_output,
  ]
}
