select *
from {{ source('dbt_up', 'public_orders') }}
