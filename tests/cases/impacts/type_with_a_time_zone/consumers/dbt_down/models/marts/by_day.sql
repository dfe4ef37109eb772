select date_trunc(day, placed_at) as day
from {{ source('dbt_up', 'public_orders') }}
