select
    order_id,
    amount,
    case when amount >= 100 then 'large' else 'small' end as order_tier
from {{ source('dbt_up', 'public_orders') }}
