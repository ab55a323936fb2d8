# The bucket in which workers with the handler s3 store events, where one is named.

locals {
  bucket_count = var.events_bucket == null ? 0 : 1
}

resource "aws_s3_bucket" "events" {
  count = local.bucket_count

  bucket = var.events_bucket
}

resource "aws_s3_bucket_versioning" "events" {
  count = local.bucket_count

  bucket = aws_s3_bucket.events[0].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "events" {
  count = local.bucket_count

  bucket = aws_s3_bucket.events[0].id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_public_access_block" "events" {
  count = local.bucket_count

  bucket                  = aws_s3_bucket.events[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "events" {
  count = local.bucket_count

  bucket = aws_s3_bucket.events[0].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "events" {
  count = local.bucket_count

  bucket = aws_s3_bucket.events[0].id

  rule {
    id     = "old-versions"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = 7
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
}

data "aws_iam_policy_document" "events" {
  count = local.bucket_count

  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.events[0].arn, "${aws_s3_bucket.events[0].arn}/*"]

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

resource "aws_s3_bucket_policy" "events" {
  count = local.bucket_count

  bucket = aws_s3_bucket.events[0].id
  policy = data.aws_iam_policy_document.events[0].json
}
