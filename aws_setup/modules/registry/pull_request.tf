resource "aws_iam_role" "pull_requests" {
  name                 = var.pull_requests.role
  description          = "Reads the dbt mesh registry for checks of pull requests"
  assume_role_policy   = data.aws_iam_policy_document.trust["pull_requests"].json
  max_session_duration = 3600
  permissions_boundary = var.permissions_boundary
}

# What is private is kept from it by what is denied, so that a project which is added later needs no mention here.
data "aws_iam_policy_document" "pull_requests" {
  statement {
    sid       = "ReadWhatEverybodyMayRead"
    actions   = ["s3:GetObject"]
    resources = ["${local.root}/*"]
  }

  statement {
    sid       = "NothingPrivate"
    effect    = "Deny"
    actions   = ["s3:GetObject"]
    resources = ["${local.root}/_private/*"]
  }

  statement {
    sid       = "ListTheNamesAtTheTop"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.registry.arn]
    condition {
      test     = "StringEquals"
      variable = "s3:prefix"
      values   = ["${local.root_keys}/"]
    }
    condition {
      test     = "StringEquals"
      variable = "s3:delimiter"
      values   = ["/"]
    }
  }

  statement {
    sid       = "ListBelowThem"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.registry.arn]
    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["${local.root_keys}/?*"]
    }
  }

  # Every prefix that `_private/` itself begins with, and every one below it.
  statement {
    sid       = "NoPrivateNames"
    effect    = "Deny"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.registry.arn]
    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["${local.root_keys}/_", "${local.root_keys}/_p*"]
    }
  }

  statement {
    sid       = "UseTheKey"
    actions   = ["kms:Decrypt"]
    resources = [aws_kms_key.registry.arn]
  }
}

resource "aws_iam_role_policy" "pull_requests" {
  name   = "registry"
  role   = aws_iam_role.pull_requests.id
  policy = data.aws_iam_policy_document.pull_requests.json
}
