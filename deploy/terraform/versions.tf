# A VPC, an EKS cluster with Karpenter, the queue, the images' registries and a role for each part, of plain resources.
#
#   cp backend.hcl.example backend.hcl && terraform init -backend-config=backend.hcl
#   terraform plan -out plan && terraform apply plan          # about 20 minutes
#
# or, step by step with the same commands, `deploy/scripts/terraform`.
terraform {
  required_version = ">= 1.10, < 2"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.25"
    }
  }

  # Bucket, key and region are yours: see backend.hcl.example. The lock is a file beside the state, no DynamoDB table.
  backend "s3" {
    encrypt      = true
    use_lockfile = true
  }
}

provider "aws" {
  region  = var.aws_region
  profile = var.aws_profile

  default_tags {
    tags = local.tags
  }
}

locals {
  tags = {
    Owner       = var.tag_owner
    Environment = var.tag_environment
    Project     = var.tag_project
  }
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
