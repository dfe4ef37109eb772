"""The embedded mesh: a local Snowflake, a local S3, and the processes that they live in; no account, no network."""
