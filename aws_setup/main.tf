module "registry" {
  source = "./modules/registry"

  bucket               = var.bucket
  prefix               = var.prefix
  projects             = var.projects
  pull_requests        = var.pull_requests
  collector            = var.collector
  oidc_provider_arn    = var.oidc_provider_arn
  audience             = var.audience
  permissions_boundary = var.permissions_boundary
  keep_versions_days   = var.keep_versions_days
  lifecycle_rules      = var.lifecycle_rules
}
