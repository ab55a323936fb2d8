# What differs from one installation to the next. Defaults that other parts of deploy/ share are those of names.env.

variable "aws_region" {
  description = "Region of everything"
  type        = string
  default     = "eu-west-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.aws_region))
    error_message = "A region looks like eu-west-1."
  }
}

variable "aws_profile" {
  description = "Profile of the AWS configuration; without one, the environment decides"
  type        = string
  default     = null
}

variable "tag_owner" {
  description = "Who pays and is asked"
  type        = string
  default     = "platform"
}

variable "tag_environment" {
  description = "Which environment this is"
  type        = string
  default     = "production"
}

variable "tag_project" {
  description = "What all of it belongs to"
  type        = string
  default     = "sluice"
}

variable "vpc_cidr" {
  description = "Addresses of the VPC; a /16 leaves a /20 for the pods of each zone"
  type        = string
  default     = "10.226.0.0/16"

  validation {
    condition     = can(cidrhost(var.vpc_cidr, 0)) && try(tonumber(split("/", var.vpc_cidr)[1]) == 16, false)
    error_message = "A /16, as in 10.226.0.0/16: subnets are cut from it by that size."
  }
}

variable "zone_count" {
  description = "Availability zones to spread over"
  type        = number
  default     = 3

  validation {
    condition     = contains([2, 3], var.zone_count)
    error_message = "2 or 3 zones."
  }
}

variable "single_nat_gateway" {
  description = "One NAT gateway for all zones: a third of the price, and no way out when its zone fails"
  type        = bool
  default     = true
}

variable "cluster_name" {
  description = "Name of the cluster and of what belongs to it"
  type        = string
  default     = "sluice"

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", var.cluster_name))
    error_message = "1 to 64 letters, digits, hyphens and underscores."
  }
}

variable "kubernetes_version" {
  description = "Version of Kubernetes"
  type        = string
  default     = "1.34"

  validation {
    condition     = can(regex("^1\\.(3[0-9])$", var.kubernetes_version))
    error_message = "1.30 or later, as in 1.34."
  }
}

variable "api_allowed_cidrs" {
  description = "Addresses that may reach the API of the cluster from outside, as in [\"203.0.113.7/32\"]; [] is none"
  type        = list(string)

  validation {
    condition     = alltrue([for cidr in var.api_allowed_cidrs : can(cidrhost(cidr, 0)) && cidr != "0.0.0.0/0"])
    error_message = "Networks as in 203.0.113.7/32, and not the whole Internet."
  }
}

variable "node_architecture" {
  description = "Architecture of the nodes of controllers, and of the images"
  type        = string
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "amd64"], var.node_architecture)
    error_message = "arm64 or amd64."
  }
}

variable "node_instance_types" {
  description = "Instance types of the nodes of controllers, by architecture; Karpenter chooses its own for workers"
  type        = map(list(string))
  default = {
    arm64 = ["m7g.large", "m6g.large"]
    amd64 = ["m7i.large", "m6i.large"]
  }
}

variable "node_count" {
  description = "Nodes for controllers, on demand"
  type        = number
  default     = 2

  validation {
    condition     = var.node_count >= 2 && var.node_count <= 20
    error_message = "2 to 20: with one node, the two copies of a controller would share it."
  }
}

variable "fargate_namespace" {
  description = "Namespace whose pods labelled fargate=enabled run on Fargate; without one there is no profile"
  type        = string
  default     = null
}

variable "container_insights" {
  description = "Install the add-on that sends metrics and logs of pods and nodes to CloudWatch, which charges for them"
  type        = bool
  default     = true
}

variable "identity" {
  description = "How pods take their roles: pod_identity, or irsa"
  type        = string
  default     = "pod_identity"

  validation {
    condition     = contains(["pod_identity", "irsa"], var.identity)
    error_message = "pod_identity or irsa."
  }
}

variable "cloudwatch" {
  description = "Whether the scaler may read the metrics of CloudWatch, which cost money and which it does without"
  type        = bool
  default     = true
}

variable "assumed_role_arns" {
  description = "Roles that the scaler may take where a trigger names one as awsRoleArn"
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.assumed_role_arns : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/[^*]+$", arn))])
    error_message = "ARNs of roles, without a star."
  }
}

variable "queue_by_name" {
  description = "Whether worker and producer know the queue by SQS_QUEUE_NAME, not by SQS_QUEUE_URL"
  type        = bool
  default     = false
}

variable "queue_name" {
  description = "Name of the queue; its dead-letter queue has -dlq at its end"
  type        = string
  default     = "orders"

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,76}$", var.queue_name))
    error_message = "1 to 76 letters, digits, hyphens and underscores."
  }
}

variable "queue_visibility_timeout_seconds" {
  description = "Seconds for which a received message is hidden"
  type        = number
  default     = 30

  validation {
    condition     = var.queue_visibility_timeout_seconds >= 0 && var.queue_visibility_timeout_seconds <= 43200
    error_message = "0 to 43200."
  }
}

variable "queue_message_retention_seconds" {
  description = "Seconds after which SQS drops a message that nobody took"
  type        = number
  default     = 345600

  validation {
    condition     = var.queue_message_retention_seconds >= 60 && var.queue_message_retention_seconds < 1209600
    error_message = "60 to 1209599: less than dead letters are kept for, which keep their age."
  }
}

variable "queue_delay_seconds" {
  description = "Seconds for which a new message is hidden"
  type        = number
  default     = 0

  validation {
    condition     = var.queue_delay_seconds >= 0 && var.queue_delay_seconds <= 900
    error_message = "0 to 900."
  }
}

variable "queue_receive_wait_seconds" {
  description = "Seconds for which a receive that does not say waits for a message"
  type        = number
  default     = 20

  validation {
    condition     = var.queue_receive_wait_seconds >= 0 && var.queue_receive_wait_seconds <= 20
    error_message = "0 to 20."
  }
}

variable "queue_max_receive_count" {
  description = "Receives after which a message is a dead letter"
  type        = number
  default     = 5

  validation {
    condition     = var.queue_max_receive_count >= 1 && var.queue_max_receive_count <= 1000
    error_message = "1 to 1000."
  }
}

variable "oldest_message_alarm_seconds" {
  description = "Alarm when the oldest message is older than so many seconds for five minutes"
  type        = number
  default     = 900
}

variable "alarm_topic_arn" {
  description = "SNS topic that hears of alarms; without one they are only shown"
  type        = string
  default     = null
}

variable "events_bucket" {
  description = "Bucket to create for workers with the handler s3; without a name there is none"
  type        = string
  default     = null
}

variable "events_prefix" {
  description = "What the keys of events begin with"
  type        = string
  default     = "store_events"
}

variable "hosted_zone_name" {
  description = "Public zone of Route 53 in which the page of the producer gets a name; without one it gets none"
  type        = string
  default     = null
}

variable "page_host" {
  description = "Name of the page within the zone"
  type        = string
  default     = "sqs-app"
}

variable "scaler_namespace" {
  description = "Namespace of Sluice"
  type        = string
  default     = "keda"
}

variable "scaler_service_account" {
  description = "Service account of Sluice"
  type        = string
  default     = "sluice"
}

variable "worker_namespace" {
  description = "Namespace of the workers"
  type        = string
  default     = "shop"
}

variable "worker_service_account" {
  description = "Service account of the workers"
  type        = string
  default     = "sluice-worker"
}

variable "producer_service_account" {
  description = "Service account of the producer"
  type        = string
  default     = "sluice-producer"
}

variable "page_service_account" {
  description = "Service account of the page that sends"
  type        = string
  default     = "sluice-page"
}

variable "karpenter_namespace" {
  description = "Namespace of Karpenter"
  type        = string
  default     = "kube-system"
}
