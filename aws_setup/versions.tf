terraform {
  required_version = ">= 1.9"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.60, < 7.0"
    }
  }
}

# A plan in the wrong account stops here, whatever credentials are at hand.
provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account]
  default_tags {
    tags = { managed-by = "terraform", part-of = "dbt-mesh" }
  }
}
