select name
from {{ source('dbt_up', 'public_customers') }}
