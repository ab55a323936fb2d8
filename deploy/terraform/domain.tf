# A name and a certificate for the page of the producer, where a zone is named, and what puts the name into the zone.

locals {
  zone_count = var.hosted_zone_name == null ? 0 : 1
  page_name  = var.hosted_zone_name == null ? null : "${var.page_host}.${var.hosted_zone_name}"
}

data "aws_route53_zone" "public" {
  count = local.zone_count

  name         = var.hosted_zone_name
  private_zone = false
}

resource "aws_acm_certificate" "page" {
  count = local.zone_count

  domain_name       = local.page_name
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "page_validation" {
  for_each = local.zone_count == 0 ? {} : {
    for option in aws_acm_certificate.page[0].domain_validation_options : option.domain_name => option
  }

  zone_id         = data.aws_route53_zone.public[0].zone_id
  name            = each.value.resource_record_name
  type            = each.value.resource_record_type
  records         = [each.value.resource_record_value]
  ttl             = 60
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "page" {
  count = local.zone_count

  certificate_arn         = aws_acm_certificate.page[0].arn
  validation_record_fqdns = [for record in aws_route53_record.page_validation : record.fqdn]
}

# external-dns writes records of this zone and of no other.
data "aws_iam_policy_document" "external_dns" {
  count = local.zone_count

  statement {
    actions   = ["route53:ChangeResourceRecordSets", "route53:ListResourceRecordSets", "route53:ListTagsForResources"]
    resources = [data.aws_route53_zone.public[0].arn]
  }

  statement {
    actions   = ["route53:ListHostedZones"]
    resources = ["*"]
  }
}

data "aws_iam_policy_document" "controller_trust" {
  for_each = { external-dns = "external-dns", aws-load-balancer-controller = "kube-system" }

  statement {
    actions = ["sts:AssumeRole", "sts:TagSession"]

    principals {
      type        = "Service"
      identifiers = ["pods.eks.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/kubernetes-namespace"
      values   = [each.value]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/kubernetes-service-account"
      values   = [each.key]
    }
  }
}

resource "aws_iam_role" "external_dns" {
  count = local.zone_count

  name_prefix        = "${substr(var.cluster_name, 0, 20)}-dns-"
  assume_role_policy = data.aws_iam_policy_document.controller_trust["external-dns"].json
}

resource "aws_iam_role_policy" "external_dns" {
  count = local.zone_count

  name   = "external-dns"
  role   = aws_iam_role.external_dns[0].id
  policy = data.aws_iam_policy_document.external_dns[0].json
}

resource "aws_eks_pod_identity_association" "external_dns" {
  count = local.zone_count

  cluster_name    = aws_eks_cluster.this.name
  namespace       = "external-dns"
  service_account = "external-dns"
  role_arn        = aws_iam_role.external_dns[0].arn
}
