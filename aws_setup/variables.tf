# What mesh.yml says comes in mesh.auto.tfvars.json, which `mesh terraform-vars` writes; the rest has defaults.

variable "account" {
  description = "AWS account in which the registry stands."
  type        = string
}

variable "region" {
  description = "Region of the registry's bucket and key."
  type        = string
}

variable "bucket" {
  description = "Name of the registry's bucket."
  type        = string
}

variable "prefix" {
  description = "Root of the registry in the bucket, without slashes at its ends."
  type        = string
  default     = "registry"
}

variable "projects" {
  description = "Who publishes: each project's role, who may assume it, whom it reads and who reads it, directly or through others."
  type = map(object({
    role      = string
    subjects  = list(string)
    upstreams = list(string)
    consumers = list(string)
  }))
}

variable "pull_requests" {
  description = "The role that reads what everybody may read, for checks of pull requests."
  type = object({
    role     = string
    subjects = list(string)
  })
}

variable "collector" {
  description = "The role for `mesh gc --delete`. Administrators of the account may assume it, and the subjects of CI that are named here."
  type = object({
    role     = optional(string, "dbt-registry-collector")
    subjects = optional(list(string), [])
  })
  default = {}
}

variable "oidc_provider_arn" {
  description = "GitHub's identity provider where the account has one already; an account can have it once only."
  type        = string
  default     = null
}

variable "audience" {
  description = "What GitHub's tokens are made out to; in the regions of China sts.amazonaws.com.cn."
  type        = string
  default     = "sts.amazonaws.com"
}

variable "permissions_boundary" {
  description = "ARN of a policy that bounds every role, where the account demands one."
  type        = string
  default     = null
}

variable "keep_versions_days" {
  description = "For how many days a version that was replaced or deleted can be restored."
  type        = number
  default     = 90
}

variable "lifecycle_rules" {
  description = "Whether old versions and unfinished uploads go by themselves."
  type        = bool
  default     = true
}
