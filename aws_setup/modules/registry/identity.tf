locals {
  oidc_host     = "token.actions.githubusercontent.com"
  oidc_provider = var.oidc_provider_arn != null ? var.oidc_provider_arn : aws_iam_openid_connect_provider.github[0].arn
  # The tokens' subjects that may assume each role, by what the role is for.
  trusted = merge(
    { for name, project in var.projects : "publisher/${name}" => project.subjects },
    { pull_requests = var.pull_requests.subjects, collector = var.collector.subjects },
  )
}

resource "aws_iam_openid_connect_provider" "github" {
  count          = var.oidc_provider_arn == null ? 1 : 0
  url            = "https://${local.oidc_host}"
  client_id_list = [var.audience]
  # AWS knows GitHub's authorities itself and does not look at these; older providers and the API ask for a list.
  thumbprint_list = ["6938fd4d98bab03faadb97b34396831e3780aea1", "1c58a3a8518e8759bf075b76b750d4f2df264fcd"]
}

check "length_of_trust" {
  assert {
    condition     = alltrue([for subjects in values(local.trusted) : length(jsonencode(subjects)) <= 2048 - 350])
    error_message = "So many subjects make the trust of a role longer than 2,048 characters: have Role trust policy length (IAM, Service Quotas) raised before you apply."
  }
}

data "aws_iam_policy_document" "trust" {
  for_each = local.trusted

  # Whole texts, compared as they are: a repository that is named alike, or another environment of it, is another one.
  dynamic "statement" {
    for_each = length(each.value) > 0 ? [each.value] : []
    content {
      sid     = "GitHub"
      actions = ["sts:AssumeRoleWithWebIdentity"]
      principals {
        type        = "Federated"
        identifiers = [local.oidc_provider]
      }
      condition {
        test     = "StringEquals"
        variable = "${local.oidc_host}:aud"
        values   = [var.audience]
      }
      condition {
        test     = "StringEquals"
        variable = "${local.oidc_host}:sub"
        values   = statement.value
      }
    }
  }

  dynamic "statement" {
    for_each = each.key == "collector" ? [1] : []
    content {
      sid     = "WhoMayAssumeItInTheAccount"
      actions = ["sts:AssumeRole"]
      principals {
        type        = "AWS"
        identifiers = ["arn:${data.aws_partition.here.partition}:iam::${local.account}:root"]
      }
    }
  }
}
