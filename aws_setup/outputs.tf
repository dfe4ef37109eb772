output "registry" {
  description = "What stands behind `registry:` in mesh.yml, or in DBT_MESH_REGISTRY."
  value       = "s3://${module.registry.bucket}/${var.prefix}"
}

output "publisher_role_arns" {
  description = "The role of each project: its CI assumes it, and Snowflake knows its service user by it."
  value       = module.registry.publisher_role_arns
}

output "pull_request_role_arn" {
  description = "The role of CI on pull requests."
  value       = module.registry.pull_request_role_arn
}

output "collector_role_arn" {
  description = "The role for `mesh gc --delete`."
  value       = module.registry.collector_role_arn
}

output "key_arn" {
  description = "The key with which everything in the registry is encrypted."
  value       = module.registry.key_arn
}

output "policies" {
  description = "Every policy as JSON, for reviews and tests."
  value       = module.registry.policies
}
