select
    status,
    count(*) as orders
from {{ source('dbt_up', 'public_orders') }}
group by status
