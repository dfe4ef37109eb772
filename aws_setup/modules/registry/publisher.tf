locals {
  # A managed policy holds 6,144 characters, so many consumers take several of them; a role takes ten, or up to
  # twenty on request.
  consumers_a_policy = 10
  chunks = merge([
    for name, project in var.projects : {
      for place, consumers in chunklist(sort(project.consumers), local.consumers_a_policy) :
      "${name}/${place + 1}" => { project = name, number = place + 1, consumers = consumers }
    }
  ]...)
}

resource "aws_iam_role" "publisher" {
  for_each             = var.projects
  name                 = each.value.role
  description          = "Publishes ${each.key} to the dbt mesh registry; Snowflake knows its service user by this role"
  assume_role_policy   = data.aws_iam_policy_document.trust["publisher/${each.key}"].json
  max_session_duration = 14400
  permissions_boundary = var.permissions_boundary
}

data "aws_iam_policy_document" "publisher" {
  for_each = var.projects

  statement {
    sid     = "CreateItsOwn"
    actions = ["s3:PutObject"]
    resources = concat(
      ["${local.root}/${each.key}/*", "${local.root}/_private/${each.key}/*"],
      [for upstream in each.value.upstreams : "${local.root}/_edges/${upstream}/${each.key}"],
    )
    condition {
      test     = "Null"
      variable = "s3:if-none-match"
      values   = ["false"]
    }
  }

  statement {
    sid       = "BringLatestForward"
    actions   = ["s3:PutObject"]
    resources = ["${local.root}/${each.key}/*/latest/manifest.json"]
    condition {
      test     = "Null"
      variable = "s3:if-match"
      values   = ["false"]
    }
  }

  statement {
    sid     = "ReadItsOwnAndUpstreams"
    actions = ["s3:GetObject"]
    resources = concat(
      ["${local.root}/${each.key}/*", "${local.root}/_private/${each.key}/*"],
      flatten([for upstream in each.value.upstreams : [
        "${local.root}/${upstream}/*",
        "${local.root}/_edges/${upstream}/${each.key}",
      ]]),
    )
  }

  # A prefix for everything that may be read and may be missing: see docs/decisions/0014-missing-keys.md.
  statement {
    sid       = "ListWhatItReads"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.registry.arn]
    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values = concat(
        [for below in ["", "_private/", "_edges/"] : "${local.root_keys}/${below}${each.key}/*"],
        flatten([for upstream in each.value.upstreams : [
          "${local.root_keys}/${upstream}/*",
          "${local.root_keys}/_edges/${upstream}/${each.key}",
        ]]),
      )
    }
  }

  statement {
    sid       = "UseTheKey"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [aws_kms_key.registry.arn]
  }
}

resource "aws_iam_role_policy" "publisher" {
  for_each = var.projects
  name     = "registry"
  role     = aws_iam_role.publisher[each.key].id
  policy   = data.aws_iam_policy_document.publisher[each.key].json
}

# Whom a change would hurt is asked of what consumers recorded of their reads, and of those who read them in turn.
data "aws_iam_policy_document" "consumers" {
  for_each = local.chunks

  statement {
    sid     = "ReadWhatConsumersSay"
    actions = ["s3:GetObject"]
    resources = flatten([for consumer in each.value.consumers : [
      "${local.root}/${consumer}/*/log/*",
      "${local.root}/${consumer}/*/history/*/usage.json.zst",
    ]])
  }

  statement {
    sid       = "FindConsumers"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.registry.arn]
    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values = flatten([for consumer in each.value.consumers : [
        "${local.root_keys}/${consumer}/*",
        "${local.root_keys}/_edges/${consumer}/*",
      ]])
    }
  }
}

resource "aws_iam_policy" "consumers" {
  for_each    = local.chunks
  name        = "${var.projects[each.value.project].role}-consumers-${each.value.number}"
  description = "What ${each.value.project} may read of those who read it"
  policy      = data.aws_iam_policy_document.consumers[each.key].json
}

resource "aws_iam_role_policy_attachment" "consumers" {
  for_each   = local.chunks
  role       = aws_iam_role.publisher[each.value.project].name
  policy_arn = aws_iam_policy.consumers[each.key].arn
}
