select order_id
from {{ ref('dbt_up', 'public_orders', v=1) }}
