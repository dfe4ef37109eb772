output "bucket" {
  value = aws_s3_bucket.registry.bucket
}

output "key_arn" {
  value = aws_kms_key.registry.arn
}

output "publisher_role_arns" {
  value = { for name, role in aws_iam_role.publisher : name => role.arn }
}

output "pull_request_role_arn" {
  value = aws_iam_role.pull_requests.arn
}

output "collector_role_arn" {
  value = aws_iam_role.collector.arn
}

output "policies" {
  value = merge(
    { for name, document in data.aws_iam_policy_document.publisher : "publisher/${name}" => document.json },
    { for name, document in data.aws_iam_policy_document.upstreams : "upstreams/${name}" => document.json },
    { for name, document in data.aws_iam_policy_document.consumers : "consumers/${name}" => document.json },
    { for name, document in data.aws_iam_policy_document.trust : "trust/${name}" => document.json },
    {
      pull_requests = data.aws_iam_policy_document.pull_requests.json
      collector     = data.aws_iam_policy_document.collector.json
      bucket        = data.aws_iam_policy_document.bucket.json
      logs          = data.aws_iam_policy_document.logs.json
      key           = data.aws_iam_policy_document.key.json
    },
  )
}
