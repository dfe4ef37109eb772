select
    customer_id,
    count(*) as orders
from {{ source('dbt_up', 'public_orders') }}
group by customer_id
