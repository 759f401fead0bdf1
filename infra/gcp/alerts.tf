resource "google_monitoring_notification_channel" "email" {
  for_each = var.alert_emails

  display_name = "${var.name}: ${each.value}"
  type         = "email"
  labels       = { email_address = each.value }
}

# What workers log, one JSON document in a line, and what Dataproc says of its clusters.
locals {
  alerts = merge(
    {
      "a batch has ended with tables that failed" = "jsonPayload.service=\"comporta\" AND jsonPayload.msg=\"Workflow failed\" AND jsonPayload.workflowType=\"controller\""
      "a worker has logged an error"              = "jsonPayload.service=\"comporta\" AND jsonPayload.level>=50"
    },
    var.platform != "ephemeral" ? {} : {
      "a cluster was left to delete itself" = "jsonPayload.service=\"comporta\" AND jsonPayload.msg=\"the cluster is left to delete itself\""
    },
    var.platform != "cluster" ? {} : {
      "the cluster is in trouble" = "resource.type=\"cloud_dataproc_cluster\" AND resource.labels.cluster_name=\"${var.cluster.name}\" AND log_id(\"cloudaudit.googleapis.com/activity\") AND severity>=ERROR"
    },
  )
}

resource "google_monitoring_alert_policy" "log" {
  for_each = local.alerts

  display_name          = "${var.name}: ${each.key}"
  combiner              = "OR"
  notification_channels = [for channel in google_monitoring_notification_channel.email : channel.id]

  conditions {
    display_name = each.key

    condition_matched_log {
      filter = each.value
    }
  }

  # Alerts on log lines must say how often they tell at most.
  alert_strategy {
    auto_close = "86400s"

    notification_rate_limit {
      period = "300s"
    }
  }

  depends_on = [google_project_service.used]
}
