resource "aws_iam_role" "collector" {
  name                 = var.collector.role
  description          = "Runs mesh gc --delete and mesh doctor on the dbt mesh registry"
  assume_role_policy   = data.aws_iam_policy_document.trust["collector"].json
  max_session_duration = 3600
  permissions_boundary = var.permissions_boundary
}

data "aws_iam_policy_document" "collector" {
  # A deletion that names what it deletes needs the right to read it (S3, conditional deletes).
  statement {
    sid       = "Read"
    actions   = ["s3:GetObject"]
    resources = ["${local.root}/*"]
  }

  statement {
    sid       = "List"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.registry.arn]
    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["${local.root_keys}/*"]
    }
  }

  statement {
    sid       = "RecordWhatIsGivenUp"
    actions   = ["s3:PutObject"]
    resources = ["${local.root}/*/*/log/*"]
    condition {
      test     = "Null"
      variable = "s3:if-none-match"
      values   = ["false"]
    }
  }

  # Current versions alone: what was deleted by mistake can be restored for as long as versions are kept.
  statement {
    sid     = "DeleteWhatIsGivenUp"
    actions = ["s3:DeleteObject"]
    resources = [
      "${local.root}/*/*/history/*",
      "${local.root}/_private/*",
      "${local.root}/_probe/*",
    ]
    condition {
      test     = "Null"
      variable = "s3:if-match"
      values   = ["false"]
    }
  }

  # In an environment that is called `history` or `log` the patterns above would mean more than they say.
  statement {
    sid       = "TheLogStays"
    effect    = "Deny"
    actions   = ["s3:DeleteObject"]
    resources = ["${local.root}/*/*/log/*"]
  }

  statement {
    sid       = "NothingPrivateIsWritten"
    effect    = "Deny"
    actions   = ["s3:PutObject"]
    resources = ["${local.root}/_private/*"]
  }

  statement {
    sid       = "TryTheStore"
    actions   = ["s3:PutObject"]
    resources = ["${local.root}/_probe/*"]
  }

  statement {
    sid       = "UseTheKey"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [aws_kms_key.registry.arn]
  }
}

resource "aws_iam_role_policy" "collector" {
  name   = "registry"
  role   = aws_iam_role.collector.id
  policy = data.aws_iam_policy_document.collector.json
}
