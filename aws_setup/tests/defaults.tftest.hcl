# What holds whatever is in the variables, planned against no account at all.
mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\": \"2012-10-17\", \"Statement\": []}" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
}

variables {
  bucket               = "acme-dbt-mesh"
  prefix               = "registry"
  collector            = { role = "dbt-registry-collector", subjects = [] }
  oidc_provider_arn    = null
  audience             = "sts.amazonaws.com"
  permissions_boundary = null
  keep_versions_days   = 90
  lifecycle_rules      = true
  pull_requests        = { role = "dbt-registry-pull-request", subjects = ["repo:acme/dbt-mesh:pull_request"] }
  projects = {
    dbt_up = {
      role      = "dbt-mesh-dbt-up"
      subjects  = ["repo:acme/dbt-mesh:environment:dbt_up-prod"]
      upstreams = []
      consumers = ["dbt_down"]
    }
  }
}

run "what_is_stored_is_kept_and_closed" {
  command = plan
  module {
    source = "./modules/registry"
  }

  assert {
    condition     = aws_s3_bucket_versioning.registry.versioning_configuration[0].status == "Enabled"
    error_message = "The registry keeps versions."
  }
  assert {
    condition = alltrue([for block in [aws_s3_bucket_public_access_block.registry, aws_s3_bucket_public_access_block.logs] :
      block.block_public_acls && block.block_public_policy && block.ignore_public_acls && block.restrict_public_buckets
    ])
    error_message = "Nothing is public."
  }
  assert {
    condition     = one([for rule in aws_s3_bucket_server_side_encryption_configuration.registry.rule : rule.bucket_key_enabled])
    error_message = "Bucket keys keep the requests to KMS few."
  }
  assert {
    condition     = aws_kms_key.registry.enable_key_rotation
    error_message = "The key is rotated."
  }
  assert {
    condition     = length(aws_s3_bucket_lifecycle_configuration.registry) == 1
    error_message = "Old versions go by themselves."
  }
  assert {
    condition     = length(aws_iam_openid_connect_provider.github) == 1
    error_message = "GitHub's provider is made where none is named."
  }
}

run "a_provider_that_is_there_is_used" {
  command = plan
  module {
    source = "./modules/registry"
  }
  variables {
    oidc_provider_arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
    lifecycle_rules   = false
  }
  assert {
    condition     = length(aws_iam_openid_connect_provider.github) == 0
    error_message = "An account can have GitHub's provider once only."
  }
  assert {
    condition     = length(aws_s3_bucket_lifecycle_configuration.registry) == 0
    error_message = "Lifecycle rules can be switched off."
  }
}

run "many_neighbours_take_several_policies" {
  command = plan
  module {
    source = "./modules/registry"
  }
  variables {
    projects = {
      dbt_up = {
        role      = "dbt-mesh-dbt-up"
        subjects  = ["repo:acme/dbt-mesh:environment:dbt_up-prod"]
        upstreams = [for number in range(60) : "source_${number}"]
        consumers = [for number in range(60) : "consumer_${number}"]
      }
    }
  }
  assert {
    condition     = toset(values(aws_iam_policy.upstreams)[*].name) == toset([for n in range(1, 5) : "dbt-mesh-dbt-up-upstreams-${n}"])
    error_message = "Sixty upstreams fit into four policies."
  }
  assert {
    condition     = toset(values(aws_iam_policy.consumers)[*].name) == toset([for n in range(1, 4) : "dbt-mesh-dbt-up-consumers-${n}"])
    error_message = "Sixty consumers fit into three policies."
  }
}

run "more_policies_than_a_role_takes_are_told_before" {
  command = plan
  module {
    source = "./modules/registry"
  }
  variables {
    projects = {
      dbt_up = {
        role      = "dbt-mesh-dbt-up"
        subjects  = ["repo:acme/dbt-mesh:environment:dbt_up-prod"]
        upstreams = [for number in range(200) : "source_${number}"]
        consumers = []
      }
    }
  }
  expect_failures = [check.policies_of_a_role]
}

run "a_trust_that_is_too_long_is_told_before" {
  command = plan
  module {
    source = "./modules/registry"
  }
  variables {
    pull_requests = {
      role     = "dbt-registry-pull-request"
      subjects = [for number in range(60) : "repo:acme/analytics-${number}:pull_request"]
    }
  }
  expect_failures = [check.length_of_trust]
}

run "a_subject_with_a_wildcard_is_refused" {
  command = plan
  module {
    source = "./modules/registry"
  }
  variables {
    projects = {
      dbt_up = {
        role      = "dbt-mesh-dbt-up"
        subjects  = ["repo:acme/*:environment:dbt_up-prod"]
        upstreams = []
        consumers = []
      }
    }
  }
  expect_failures = [var.projects]
}

run "a_pull_request_is_no_publisher" {
  command = plan
  module {
    source = "./modules/registry"
  }
  variables {
    projects = {
      dbt_up = {
        role      = "dbt-mesh-dbt-up"
        subjects  = ["repo:acme/dbt-mesh:pull_request"]
        upstreams = []
        consumers = []
      }
    }
  }
  expect_failures = [var.projects]
}

run "a_name_with_a_wildcard_is_refused" {
  command = plan
  module {
    source = "./modules/registry"
  }
  variables {
    projects = {
      dbt_up = {
        role      = "dbt-mesh-dbt-up"
        subjects  = ["repo:acme/dbt-mesh:environment:dbt_up-prod"]
        upstreams = ["*"]
        consumers = []
      }
    }
  }
  expect_failures = [var.projects]
}

run "roles_that_differ_in_case_alone_are_refused" {
  command = plan
  module {
    source = "./modules/registry"
  }
  variables {
    projects = {
      for name in ["dbt_up", "DBT_UP"] : name => {
        role      = "dbt-mesh-${name}"
        subjects  = ["repo:acme/dbt-mesh:environment:${name}-prod"]
        upstreams = []
        consumers = []
      }
    }
  }
  expect_failures = [var.projects]
}

run "a_trust_of_nobody_is_refused" {
  command = plan
  module {
    source = "./modules/registry"
  }
  variables {
    projects      = {}
    pull_requests = { role = "dbt-registry-pull-request", subjects = [] }
  }
  expect_failures = [var.pull_requests]
}

run "a_mesh_without_projects_is_a_bucket_and_a_key" {
  command = plan
  module {
    source = "./modules/registry"
  }
  variables {
    projects = {}
  }
  assert {
    condition     = length(aws_iam_role.publisher) == 0 && length(aws_iam_policy.upstreams) == 0
    error_message = "Projects come later."
  }
}
