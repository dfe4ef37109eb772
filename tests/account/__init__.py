"""A live Snowflake account: logging in, reading it, changing it; against an account in memory."""
