terraform {
  required_version = ">= 1.9"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.60, < 7.0"
    }
  }
}

data "aws_caller_identity" "here" {}
data "aws_partition" "here" {}
data "aws_region" "here" {}

locals {
  account = data.aws_caller_identity.here.account_id
  # Everything of the registry stands below it, as ARNs and as prefixes of a listing say it.
  root      = "${aws_s3_bucket.registry.arn}/${var.prefix}"
  root_keys = var.prefix
}
