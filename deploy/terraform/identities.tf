# A role for each part that calls AWS. What a role may do is read from the list in deploy/iam/.

locals {
  permissions = yamldecode(file("${path.module}/../iam/roles.yaml"))

  # What the list calls the resources and the settings.
  granted = {
    queue             = aws_sqs_queue.queue.arn
    dead_letter_queue = aws_sqs_queue.dead_letters.arn
    events            = "arn:${data.aws_partition.current.partition}:s3:::${var.events_bucket == null ? "none" : var.events_bucket}/${var.events_prefix}/*"
    everything        = "*"
    assumed_roles     = var.assumed_role_arns
  }
  switches = {
    cloudwatch    = var.cloudwatch
    queue_by_name = var.queue_by_name
    bucket        = var.events_bucket != null
    assumed_roles = length(var.assumed_role_arns) > 0
  }

  service_accounts = {
    scaler   = { namespace = var.scaler_namespace, name = var.scaler_service_account, role = "sluice-scaler" }
    worker   = { namespace = var.worker_namespace, name = var.worker_service_account, role = "sluice-worker" }
    producer = { namespace = var.worker_namespace, name = var.producer_service_account, role = "sluice-producer" }
    page     = { namespace = var.worker_namespace, name = var.page_service_account, role = "sluice-page" }
  }

  issuer = trimprefix(aws_iam_openid_connect_provider.cluster.url, "https://")
}

data "aws_iam_policy_document" "service_account_trust" {
  for_each = local.service_accounts

  dynamic "statement" {
    for_each = var.identity == "pod_identity" ? [1] : []

    content {
      actions = ["sts:AssumeRole", "sts:TagSession"]

      principals {
        type        = "Service"
        identifiers = ["pods.eks.amazonaws.com"]
      }

      dynamic "condition" {
        for_each = {
          "aws:SourceAccount"                         = data.aws_caller_identity.current.account_id
          "aws:RequestTag/eks-cluster-name"           = var.cluster_name
          "aws:RequestTag/kubernetes-namespace"       = each.value.namespace
          "aws:RequestTag/kubernetes-service-account" = each.value.name
        }

        content {
          test     = "StringEquals"
          variable = condition.key
          values   = [condition.value]
        }
      }
    }
  }

  dynamic "statement" {
    for_each = var.identity == "irsa" ? [1] : []

    content {
      actions = ["sts:AssumeRoleWithWebIdentity"]

      principals {
        type        = "Federated"
        identifiers = [aws_iam_openid_connect_provider.cluster.arn]
      }

      # Without the audience, tokens that are meant for others would do.
      condition {
        test     = "StringEquals"
        variable = "${local.issuer}:aud"
        values   = ["sts.amazonaws.com"]
      }

      condition {
        test     = "StringEquals"
        variable = "${local.issuer}:sub"
        values   = ["system:serviceaccount:${each.value.namespace}:${each.value.name}"]
      }
    }
  }
}

resource "aws_iam_role" "service_account" {
  for_each = local.service_accounts

  name               = each.value.role
  description        = local.permissions[each.key].about
  assume_role_policy = data.aws_iam_policy_document.service_account_trust[each.key].json
}

resource "aws_iam_role_policy" "service_account" {
  for_each = local.service_accounts

  name = each.value.role
  role = aws_iam_role.service_account[each.key].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      for grant in local.permissions[each.key].grants : {
        Effect   = "Allow"
        Action   = grant.actions
        Resource = local.granted[grant.of]
      } if try(local.switches[grant.with], true)
    ]
  })
}

resource "aws_eks_pod_identity_association" "service_account" {
  for_each = var.identity == "pod_identity" ? local.service_accounts : {}

  cluster_name    = aws_eks_cluster.this.name
  namespace       = each.value.namespace
  service_account = each.value.name
  role_arn        = aws_iam_role.service_account[each.key].arn
}

# For a person who moves dead letters back; no pod has it.
data "aws_iam_policy_document" "redrive_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    # Whom an administrator of the account allows to; nobody is, by this alone.
    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root"]
    }
  }
}

resource "aws_iam_role" "redrive" {
  name               = "sluice-redrive"
  description        = local.permissions["redrive"].about
  assume_role_policy = data.aws_iam_policy_document.redrive_trust.json
}

resource "aws_iam_role_policy" "redrive" {
  name = "sluice-redrive"
  role = aws_iam_role.redrive.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      for grant in local.permissions["redrive"].grants : {
        Effect   = "Allow"
        Action   = grant.actions
        Resource = local.granted[grant.of]
      }
    ]
  })
}
