resource "aws_cloudwatch_log_group" "worker" {
  name              = var.worker_log_group
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_sns_topic" "alerts" {
  name              = "${var.name}-alerts"
  kms_master_key_id = var.kms_key_arn
}

resource "aws_sns_topic_subscription" "email" {
  for_each = var.alert_emails

  topic_arn = aws_sns_topic.alerts.arn
  protocol  = "email"
  endpoint  = each.value
}

data "aws_iam_policy_document" "alerts" {
  statement {
    sid       = "Tell"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alerts.arn]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com", "cloudwatch.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}

resource "aws_sns_topic_policy" "alerts" {
  arn    = aws_sns_topic.alerts.arn
  policy = data.aws_iam_policy_document.alerts.json
}

# What Glue says of runs; the load is tried again, and may succeed then.
resource "aws_cloudwatch_event_rule" "runs" {
  name        = "${var.name}-failed-runs"
  description = "Runs of the Glue job that did not succeed"

  event_pattern = jsonencode({
    source        = ["aws.glue"]
    "detail-type" = ["Glue Job State Change"]
    detail = {
      jobName = [aws_glue_job.ingest.name]
      state   = ["FAILED", "TIMEOUT", "ERROR", "EXPIRED"]
    }
  })
}

resource "aws_cloudwatch_event_target" "runs" {
  rule = aws_cloudwatch_event_rule.runs.name
  arn  = aws_sns_topic.alerts.arn
}

# What workers log, one JSON document in a line.
locals {
  signs = {
    batch-failed = {
      pattern     = "{ $.msg = \"Workflow failed\" && $.workflowType = \"controller\" }"
      description = "A batch has ended with tables that failed"
    }
    worker-in-trouble = {
      pattern     = "{ $.level >= 50 }"
      description = "A worker has logged an error"
    }
  }
}

resource "aws_cloudwatch_log_metric_filter" "sign" {
  for_each = local.signs

  name           = "${var.name}-${each.key}"
  log_group_name = aws_cloudwatch_log_group.worker.name
  pattern        = each.value.pattern

  metric_transformation {
    name      = each.key
    namespace = "Comporta/${var.name}"
    value     = "1"
  }
}

resource "aws_cloudwatch_metric_alarm" "sign" {
  for_each = local.signs

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = "Comporta/${var.name}"
  metric_name         = each.key
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]

  depends_on = [aws_cloudwatch_log_metric_filter.sign]
}
