resource "aws_kms_key" "registry" {
  description         = "dbt mesh registry ${var.bucket}"
  enable_key_rotation = true
  policy              = data.aws_iam_policy_document.key.json
  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_kms_alias" "registry" {
  name          = "alias/dbt-mesh-registry/${replace(var.bucket, ".", "-")}"
  target_key_id = aws_kms_key.registry.key_id
}

data "aws_iam_policy_document" "key" {
  # The account's own policies say who may use the key; without this statement nobody could ever change it again.
  statement {
    sid       = "TheAccountDecides"
    actions   = ["kms:*"]
    resources = ["*"]
    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.here.partition}:iam::${local.account}:root"]
    }
  }

  # Whoever may use it does so by reading and writing in S3, where the bucket's policy and the logs are.
  statement {
    sid       = "ThroughS3Only"
    effect    = "Deny"
    actions   = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
    resources = ["*"]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "StringNotEquals"
      variable = "kms:ViaService"
      # Where AWS has a domain of its own, its documentation names services by either.
      values = distinct([
        for domain in [data.aws_partition.here.dns_suffix, "amazonaws.com"] : "s3.${data.aws_region.here.id}.${domain}"
      ])
    }
  }
}
