# Nodes on demand for what must not be interrupted: KEDA, Sluice, Karpenter. Workers run on nodes of Karpenter.

data "aws_iam_policy_document" "node_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

locals {
  # Session Manager is a shell on a node without a key or an open port; its agent is in the image.
  node_policies = toset([
    "AmazonEKSWorkerNodePolicy",
    "AmazonEC2ContainerRegistryPullOnly",
    "AmazonSSMManagedInstanceCore",
  ])
  ami_types = { arm64 = "BOTTLEROCKET_ARM_64", amd64 = "BOTTLEROCKET_x86_64" }
}

resource "aws_iam_role" "node" {
  name               = "${var.cluster_name}-node"
  assume_role_policy = data.aws_iam_policy_document.node_trust.json
}

resource "aws_iam_role_policy_attachment" "node" {
  for_each = local.node_policies

  role       = aws_iam_role.node.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/${each.key}"
}

resource "aws_launch_template" "controllers" {
  name_prefix = "${var.cluster_name}-controllers-"

  # Pods have roles of their own and do not get at that of the node: an answer does not come further than one hop.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  # Bottlerocket's second disk, which has images and logs.
  block_device_mappings {
    device_name = "/dev/xvdb"

    ebs {
      volume_size           = 20
      volume_type           = "gp3"
      encrypted             = true
      delete_on_termination = true
    }
  }

  tag_specifications {
    resource_type = "instance"
    tags          = merge(local.tags, { Name = "${var.cluster_name}-controllers" })
  }

  tag_specifications {
    resource_type = "volume"
    tags          = local.tags
  }
}

resource "aws_eks_node_group" "controllers" {
  cluster_name    = aws_eks_cluster.this.name
  node_group_name = "controllers"
  node_role_arn   = aws_iam_role.node.arn
  subnet_ids      = [for subnet in aws_subnet.private : subnet.id]
  ami_type        = local.ami_types[var.node_architecture]
  capacity_type   = "ON_DEMAND"
  instance_types  = var.node_instance_types[var.node_architecture]

  labels = { "karpenter.sh/controller" = "true" }

  scaling_config {
    min_size     = 2
    desired_size = var.node_count
    max_size     = 20
  }

  update_config {
    max_unavailable = 1
  }

  launch_template {
    id      = aws_launch_template.controllers.id
    version = aws_launch_template.controllers.latest_version
  }

  lifecycle {
    # An autoscaler or a person may have set it since.
    ignore_changes = [scaling_config[0].desired_size]
  }

  depends_on = [
    aws_iam_role_policy_attachment.node,
    aws_eks_addon.before_nodes,
    aws_eks_addon.vpc_cni,
  ]
}

data "aws_iam_policy_document" "fargate_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["eks-fargate-pods.amazonaws.com"]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["arn:${data.aws_partition.current.partition}:eks:${var.aws_region}:${data.aws_caller_identity.current.account_id}:fargateprofile/${var.cluster_name}/*"]
    }
  }
}

resource "aws_iam_role" "fargate" {
  count = var.fargate_namespace == null ? 0 : 1

  name_prefix        = "${substr(var.cluster_name, 0, 20)}-fargate-"
  assume_role_policy = data.aws_iam_policy_document.fargate_trust.json
}

resource "aws_iam_role_policy_attachment" "fargate" {
  count = var.fargate_namespace == null ? 0 : 1

  role       = aws_iam_role.fargate[0].name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/AmazonEKSFargatePodExecutionRolePolicy"
}

resource "aws_eks_fargate_profile" "this" {
  count = var.fargate_namespace == null ? 0 : 1

  cluster_name           = aws_eks_cluster.this.name
  fargate_profile_name   = "fargate"
  pod_execution_role_arn = aws_iam_role.fargate[0].arn
  subnet_ids             = [for subnet in aws_subnet.private : subnet.id]

  selector {
    namespace = var.fargate_namespace
    labels    = { fargate = "enabled" }
  }
}
