locals {
  # A managed policy holds 6,144 characters, so many upstreams or consumers take several of them. What one of each takes
  # at most follows from the lengths of names; the rest of a policy is well below 700 characters.
  root_length = length("arn:aws-us-gov:s3:::${var.bucket}/${var.prefix}")
  keys_length = length(var.prefix)
  longest = max(0, flatten([
    for name, project in var.projects : [for known in concat([name], project.upstreams, project.consumers) : length(known)]
  ])...)
  a_policy = 6144 - 700
  upstreams_a_policy = max(1, floor(
    local.a_policy / (3 * local.root_length + 2 * local.keys_length + 8 * local.longest + 60)
  ))
  consumers_a_policy = max(1, floor(
    local.a_policy / (2 * local.root_length + 2 * local.keys_length + 4 * local.longest + 80)
  ))
  upstreams = merge([
    for name, project in var.projects : {
      for place, upstreams in chunklist(sort(project.upstreams), local.upstreams_a_policy) :
      "${name}/${place + 1}" => { project = name, number = place + 1, upstreams = upstreams }
    }
  ]...)
  consumers = merge([
    for name, project in var.projects : {
      for place, consumers in chunklist(sort(project.consumers), local.consumers_a_policy) :
      "${name}/${place + 1}" => { project = name, number = place + 1, consumers = consumers }
    }
  ]...)
  # By role; AWS attaches ten, and up to 25 where somebody asks for more.
  attached = {
    for name, project in var.projects : project.role => length([
      for chunk in concat(values(local.upstreams)[*].project, values(local.consumers)[*].project) : chunk if chunk == name
    ])
  }
}

check "policies_of_a_role" {
  assert {
    condition     = alltrue([for count in values(local.attached) : count <= 10])
    error_message = "More than ten policies for ${join(", ", [for role, count in local.attached : role if count > 10])}: have Managed policies per role (IAM, Service Quotas) raised before you apply."
  }
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
    sid       = "CreateItsOwn"
    actions   = ["s3:PutObject"]
    resources = ["${local.root}/${each.key}/*", "${local.root}/_private/${each.key}/*"]
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
    sid       = "ReadItsOwn"
    actions   = ["s3:GetObject"]
    resources = ["${local.root}/${each.key}/*", "${local.root}/_private/${each.key}/*"]
  }

  # A prefix for everything that may be read and may be missing: see docs/decisions/0014-missing-keys.md.
  statement {
    sid       = "ListWhatItReads"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.registry.arn]
    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = [for below in ["", "_private/", "_edges/"] : "${local.root_keys}/${below}${each.key}/*"]
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

data "aws_iam_policy_document" "upstreams" {
  for_each = local.upstreams

  statement {
    sid       = "SayWhatItReads"
    actions   = ["s3:PutObject"]
    resources = [for upstream in each.value.upstreams : "${local.root}/_edges/${upstream}/${each.value.project}"]
    condition {
      test     = "Null"
      variable = "s3:if-none-match"
      values   = ["false"]
    }
  }

  statement {
    sid     = "ReadUpstreams"
    actions = ["s3:GetObject"]
    resources = flatten([for upstream in each.value.upstreams : [
      "${local.root}/${upstream}/*",
      "${local.root}/_edges/${upstream}/${each.value.project}",
    ]])
  }

  statement {
    sid       = "ListUpstreams"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.registry.arn]
    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values = flatten([for upstream in each.value.upstreams : [
        "${local.root_keys}/${upstream}/*",
        "${local.root_keys}/_edges/${upstream}/${each.value.project}",
      ]])
    }
  }
}

resource "aws_iam_policy" "upstreams" {
  for_each    = local.upstreams
  name        = "${var.projects[each.value.project].role}-upstreams-${each.value.number}"
  description = "What ${each.value.project} may read of those whom it reads"
  policy      = data.aws_iam_policy_document.upstreams[each.key].json
}

resource "aws_iam_role_policy_attachment" "upstreams" {
  for_each   = local.upstreams
  role       = aws_iam_role.publisher[each.value.project].name
  policy_arn = aws_iam_policy.upstreams[each.key].arn
}

# Whom a change would hurt is asked of what consumers recorded of their reads, and of those who read them in turn.
data "aws_iam_policy_document" "consumers" {
  for_each = local.consumers

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
  for_each    = local.consumers
  name        = "${var.projects[each.value.project].role}-consumers-${each.value.number}"
  description = "What ${each.value.project} may read of those who read it"
  policy      = data.aws_iam_policy_document.consumers[each.key].json
}

resource "aws_iam_role_policy_attachment" "consumers" {
  for_each   = local.consumers
  role       = aws_iam_role.publisher[each.value.project].name
  policy_arn = aws_iam_policy.consumers[each.key].arn
}
