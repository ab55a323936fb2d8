# Registries of the images. The producer, the analyzer and the page are modes of the worker and have its image.

locals {
  repositories = toset(["sluice", "sluice-worker"])
}

resource "aws_ecr_repository" "this" {
  for_each = local.repositories

  name = each.key
  # A tag that was pulled once means the same image for ever.
  image_tag_mutability = "IMMUTABLE"
  force_delete         = true

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "AES256"
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  for_each = local.repositories

  repository = aws_ecr_repository.this[each.key].name

  policy = jsonencode({
    rules = [
      {
        rulePriority = 1
        description  = "Four images without a tag"
        selection    = { tagStatus = "untagged", countType = "imageCountMoreThan", countNumber = 4 }
        action       = { type = "expire" }
      },
      {
        rulePriority = 2
        description  = "Twenty versions, enough to go back"
        selection    = { tagStatus = "tagged", tagPatternList = ["*"], countType = "imageCountMoreThan", countNumber = 20 }
        action       = { type = "expire" }
      },
    ]
  })
}
