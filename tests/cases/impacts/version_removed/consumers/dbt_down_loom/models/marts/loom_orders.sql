select
    order_id,
    amount
from {{ ref('dbt_up', 'public_orders') }}
