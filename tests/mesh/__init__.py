"""Real dbt, real dbt-snowflake, real dbt-loom and real boto3 on the embedded mesh that `mesh demo --keep` leaves up."""
