# What later steps ask for. The first thirteen have the names that a widespread lab of SQS, KEDA and Karpenter gave
# them, so that its scripts go on.

output "aws_region" {
  value = var.aws_region
}

output "eks_cluster_name" {
  value = aws_eks_cluster.this.name
}

output "eks_cluster_endpoint" {
  value = aws_eks_cluster.this.endpoint
}

output "eks_node_group_iam_role_name" {
  value = aws_iam_role.node.name
}

output "ecr_sqs_consumer_repo_url" {
  value = aws_ecr_repository.this["sluice-worker"].repository_url
}

# The producer is a mode of the worker.
output "ecr_sqs_producer_repo_url" {
  value = aws_ecr_repository.this["sluice-worker"].repository_url
}

output "domain_filter" {
  value = var.hosted_zone_name
}

output "karpenter_interruption_queue" {
  value = aws_sqs_queue.interruption.name
}

output "sqs_app_domain_name" {
  value = local.page_name
}

output "sa_sqs_app_name" {
  value = var.worker_service_account
}

output "sqs_app_acm_certificate_arn" {
  value = one(aws_acm_certificate.page[*].arn)
}

output "sqs_queue_name" {
  value = aws_sqs_queue.queue.name
}

output "sqs_queue_url" {
  value = aws_sqs_queue.queue.url
}

output "sqs_dead_letter_queue_url" {
  value = aws_sqs_queue.dead_letters.url
}

output "ecr_scaler_repo_url" {
  value = aws_ecr_repository.this["sluice"].repository_url
}

output "karpenter_node_role_name" {
  value = aws_iam_role.karpenter_node.name
}

output "role_arns" {
  description = "The role of each service account, for the annotations that IRSA needs"
  value       = { for key, role in aws_iam_role.service_account : key => role.arn }
}

output "vpc_id" {
  value = aws_vpc.this.id
}
