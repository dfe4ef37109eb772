"""A live Snowflake account: statements in, what it answers out; the only door to Snowflake's connector."""
