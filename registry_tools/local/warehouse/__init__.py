"""The local Snowflake: fakesnow's server made fit for the real dbt-snowflake, with data that outlive the process."""
