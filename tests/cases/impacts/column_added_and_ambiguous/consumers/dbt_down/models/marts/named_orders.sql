select
    o.order_id,
    name
from {{ source('dbt_up', 'public_orders') }} as o
inner join {{ source('dbt_up', 'public_customers') }} as c
    on o.customer_id = c.customer_id
