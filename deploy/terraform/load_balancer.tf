# The role of the AWS Load Balancer Controller, which makes load balancers of Ingresses: it may look at everything that
# it looks at, and change only what has the tag of this cluster.

locals {
  elb        = "arn:${data.aws_partition.current.partition}:elasticloadbalancing:${var.aws_region}:${data.aws_caller_identity.current.account_id}"
  balancers  = ["${local.elb}:targetgroup/*/*", "${local.elb}:loadbalancer/net/*/*", "${local.elb}:loadbalancer/app/*/*"]
  elb_tagged = "elbv2.k8s.aws/cluster"
}

data "aws_iam_policy_document" "load_balancer" {
  statement {
    sid = "Look"
    actions = [
      "acm:DescribeCertificate",
      "acm:ListCertificates",
      "ec2:DescribeAccountAttributes",
      "ec2:DescribeAddresses",
      "ec2:DescribeAvailabilityZones",
      "ec2:DescribeInstances",
      "ec2:DescribeInternetGateways",
      "ec2:DescribeNetworkInterfaces",
      "ec2:DescribeRouteTables",
      "ec2:DescribeSecurityGroups",
      "ec2:DescribeSubnets",
      "ec2:DescribeTags",
      "ec2:DescribeVpcs",
      "elasticloadbalancing:DescribeListenerAttributes",
      "elasticloadbalancing:DescribeListenerCertificates",
      "elasticloadbalancing:DescribeListeners",
      "elasticloadbalancing:DescribeLoadBalancerAttributes",
      "elasticloadbalancing:DescribeLoadBalancers",
      "elasticloadbalancing:DescribeRules",
      "elasticloadbalancing:DescribeSSLPolicies",
      "elasticloadbalancing:DescribeTags",
      "elasticloadbalancing:DescribeTargetGroupAttributes",
      "elasticloadbalancing:DescribeTargetGroups",
      "elasticloadbalancing:DescribeTargetHealth",
    ]
    resources = ["*"]
  }

  statement {
    sid       = "CreateSecurityGroups"
    actions   = ["ec2:CreateSecurityGroup"]
    resources = [aws_vpc.this.arn, "${local.ec2}:*:security-group/*"]
  }

  statement {
    sid       = "TagNewSecurityGroups"
    actions   = ["ec2:CreateTags"]
    resources = ["${local.ec2}:*:security-group/*"]

    condition {
      test     = "StringEquals"
      variable = "ec2:CreateAction"
      values   = ["CreateSecurityGroup"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/${local.elb_tagged}"
      values   = [var.cluster_name]
    }
  }

  statement {
    sid = "ChangeOwnSecurityGroups"
    actions = [
      "ec2:AuthorizeSecurityGroupIngress",
      "ec2:CreateTags",
      "ec2:DeleteSecurityGroup",
      "ec2:DeleteTags",
      "ec2:RevokeSecurityGroupIngress",
    ]
    resources = ["${local.ec2}:*:security-group/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/${local.elb_tagged}"
      values   = [var.cluster_name]
    }
  }

  # The group of the nodes, which lets the load balancer in.
  statement {
    sid       = "OpenNodesToBalancers"
    actions   = ["ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"]
    resources = ["${local.ec2}:*:security-group/${aws_eks_cluster.this.vpc_config[0].cluster_security_group_id}"]
  }

  statement {
    sid       = "CreateBalancers"
    actions   = ["elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:CreateTargetGroup"]
    resources = local.balancers

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/${local.elb_tagged}"
      values   = [var.cluster_name]
    }
  }

  statement {
    sid = "CreateListeners"
    actions = [
      "elasticloadbalancing:CreateListener",
      "elasticloadbalancing:CreateRule",
      "elasticloadbalancing:DeleteListener",
      "elasticloadbalancing:DeleteRule",
      "elasticloadbalancing:ModifyListener",
      "elasticloadbalancing:ModifyListenerAttributes",
      "elasticloadbalancing:ModifyRule",
      "elasticloadbalancing:AddListenerCertificates",
      "elasticloadbalancing:RemoveListenerCertificates",
      "elasticloadbalancing:SetRulePriorities",
    ]
    resources = concat(local.balancers, ["${local.elb}:listener/app/*/*/*", "${local.elb}:listener/net/*/*/*", "${local.elb}:listener-rule/app/*/*/*", "${local.elb}:listener-rule/net/*/*/*"])

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/${local.elb_tagged}"
      values   = [var.cluster_name]
    }
  }

  statement {
    sid       = "TagWhatIsCreated"
    actions   = ["elasticloadbalancing:AddTags"]
    resources = concat(local.balancers, ["${local.elb}:listener/app/*/*/*", "${local.elb}:listener/net/*/*/*", "${local.elb}:listener-rule/app/*/*/*", "${local.elb}:listener-rule/net/*/*/*"])

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/${local.elb_tagged}"
      values   = [var.cluster_name]
    }
  }

  statement {
    sid = "ChangeOwnBalancers"
    actions = [
      "elasticloadbalancing:AddTags",
      "elasticloadbalancing:RemoveTags",
      "elasticloadbalancing:ModifyLoadBalancerAttributes",
      "elasticloadbalancing:SetIpAddressType",
      "elasticloadbalancing:SetSecurityGroups",
      "elasticloadbalancing:SetSubnets",
      "elasticloadbalancing:DeleteLoadBalancer",
      "elasticloadbalancing:ModifyTargetGroup",
      "elasticloadbalancing:ModifyTargetGroupAttributes",
      "elasticloadbalancing:DeleteTargetGroup",
      "elasticloadbalancing:RegisterTargets",
      "elasticloadbalancing:DeregisterTargets",
    ]
    resources = local.balancers

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/${local.elb_tagged}"
      values   = [var.cluster_name]
    }
  }
}

resource "aws_iam_role" "load_balancer" {
  name_prefix        = "${substr(var.cluster_name, 0, 20)}-lb-"
  assume_role_policy = data.aws_iam_policy_document.controller_trust["aws-load-balancer-controller"].json
}

resource "aws_iam_role_policy" "load_balancer" {
  name   = "load-balancer-controller"
  role   = aws_iam_role.load_balancer.id
  policy = data.aws_iam_policy_document.load_balancer.json
}

resource "aws_eks_pod_identity_association" "load_balancer" {
  cluster_name    = aws_eks_cluster.this.name
  namespace       = "kube-system"
  service_account = "aws-load-balancer-controller"
  role_arn        = aws_iam_role.load_balancer.arn
}
