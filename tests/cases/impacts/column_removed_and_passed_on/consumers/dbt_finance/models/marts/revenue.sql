select sum(amount) as revenue
from {{ ref('dbt_down', 'public_order_tiers') }}
