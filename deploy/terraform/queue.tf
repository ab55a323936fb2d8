# The queue, its dead-letter queue, and alarms on what goes wrong with them.

resource "aws_sqs_queue" "queue" {
  name                       = var.queue_name
  visibility_timeout_seconds = var.queue_visibility_timeout_seconds
  message_retention_seconds  = var.queue_message_retention_seconds
  delay_seconds              = var.queue_delay_seconds
  receive_wait_time_seconds  = var.queue_receive_wait_seconds
  sqs_managed_sse_enabled    = true
}

resource "aws_sqs_queue" "dead_letters" {
  name = "${var.queue_name}-dlq"
  # The longest there is: a dead letter keeps its age.
  message_retention_seconds = 1209600
  receive_wait_time_seconds = var.queue_receive_wait_seconds
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue_redrive_policy" "queue" {
  queue_url = aws_sqs_queue.queue.url

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = var.queue_max_receive_count
  })
}

resource "aws_sqs_queue_redrive_allow_policy" "dead_letters" {
  queue_url = aws_sqs_queue.dead_letters.url

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.queue.arn]
  })
}

# Whoever may use the queues, uses them by TLS.
data "aws_iam_policy_document" "tls_only" {
  for_each = { queue = aws_sqs_queue.queue.arn, dead_letters = aws_sqs_queue.dead_letters.arn }

  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = [each.value]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_sqs_queue_policy" "queue" {
  queue_url = aws_sqs_queue.queue.url
  policy    = data.aws_iam_policy_document.tls_only["queue"].json
}

resource "aws_sqs_queue_policy" "dead_letters" {
  queue_url = aws_sqs_queue.dead_letters.url
  policy    = data.aws_iam_policy_document.tls_only["dead_letters"].json
}

locals {
  alarm_actions = var.alarm_topic_arn == null ? [] : [var.alarm_topic_arn]

  # SQS leaves messages that were received three times or more out of the age of the oldest, so that alone says
  # nothing about messages that nobody can handle: their number in the dead-letter queue does.
  alarms = {
    oldest-message = {
      description = "messages of ${var.queue_name} wait longer than ${var.oldest_message_alarm_seconds} s"
      metric      = "ApproximateAgeOfOldestMessage"
      queue       = aws_sqs_queue.queue.name
      threshold   = var.oldest_message_alarm_seconds
      periods     = 5
    }
    dead-letters = {
      description = "there are dead letters of ${var.queue_name}"
      metric      = "ApproximateNumberOfMessagesVisible"
      queue       = aws_sqs_queue.dead_letters.name
      threshold   = 0
      periods     = 1
    }
    oldest-dead-letter = {
      description = "dead letters of ${var.queue_name} are older than ten days and are dropped after fourteen"
      metric      = "ApproximateAgeOfOldestMessage"
      queue       = aws_sqs_queue.dead_letters.name
      threshold   = 864000
      periods     = 5
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "queue" {
  for_each = local.alarms

  alarm_name          = "${var.queue_name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = "AWS/SQS"
  metric_name         = each.value.metric
  dimensions          = { QueueName = each.value.queue }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = each.value.periods
  threshold           = each.value.threshold
  comparison_operator = "GreaterThanThreshold"
  # SQS reports nothing for a queue that has been idle for hours.
  treat_missing_data = "notBreaching"
  alarm_actions      = local.alarm_actions
  ok_actions         = local.alarm_actions
}
