variable "bucket" {
  type = string
  validation {
    condition     = length(var.bucket) <= 51
    error_message = "The bucket of its access logs is called the same with -access-logs, and a name has 63 characters at most."
  }
}

variable "prefix" {
  type = string
  validation {
    condition     = can(regex("^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$", var.prefix))
    error_message = "Write the prefix without slashes at its ends and without wildcards."
  }
}

variable "projects" {
  type = map(object({
    role      = string
    subjects  = list(string)
    upstreams = list(string)
    consumers = list(string)
  }))
  validation {
    # Names become parts of ARNs in policies, where a * would be more than a name.
    condition = alltrue(flatten([for name, project in var.projects : [
      for known in concat([name], project.upstreams, project.consumers) : can(regex("^[A-Za-z][A-Za-z0-9_]*$", known))
    ]]))
    error_message = "A project's name is a letter, then letters, digits and underscores."
  }
  validation {
    condition     = alltrue([for project in values(var.projects) : length(project.subjects) > 0])
    error_message = "Nobody could assume the role of a project without subjects."
  }
  validation {
    condition = alltrue(flatten([for project in values(var.projects) : [
      for subject in project.subjects : can(regex("^[^*?]+:environment:[^*?]+$", subject))
    ]]))
    error_message = "A publisher's subject is the whole text of GitHub's tokens for one environment, without wildcards."
  }
  validation {
    condition     = length(distinct([for project in values(var.projects) : lower(project.role)])) == length(var.projects)
    error_message = "Two projects must not have one role; IAM does not tell names apart by case."
  }
}

variable "pull_requests" {
  type = object({
    role     = string
    subjects = list(string)
  })
  validation {
    condition     = alltrue([for subject in var.pull_requests.subjects : can(regex("^[^*?]+:pull_request$", subject))])
    error_message = "A pull request's subject ends in :pull_request and has no wildcards."
  }
  validation {
    condition     = length(var.pull_requests.subjects) > 0
    error_message = "Nobody could assume a role without subjects, and AWS takes no trust that is empty."
  }
}

variable "collector" {
  type = object({
    role     = string
    subjects = list(string)
  })
  validation {
    condition     = alltrue([for subject in var.collector.subjects : can(regex("^[^*?]+:environment:[^*?]+$", subject))])
    error_message = "The collector's subject is the whole text of GitHub's tokens for one environment, without wildcards."
  }
}

variable "oidc_provider_arn" {
  type = string
}

variable "audience" {
  type = string
}

variable "permissions_boundary" {
  type = string
}

variable "keep_versions_days" {
  type = number
  validation {
    condition     = var.keep_versions_days >= 7
    error_message = "Keep versions for a week at least: a mistake is rarely noticed on the same day."
  }
}

variable "lifecycle_rules" {
  type = bool
}
