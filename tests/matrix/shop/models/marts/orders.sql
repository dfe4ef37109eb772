{{ config(materialized='table') }}
select
    order_id::number(18, 0) as order_id,
    customer_id::number(18, 0) as customer_id,
    amount::number(12, 2) as amount,
    ordered_at::timestamp_ntz as ordered_at
from {{ ref('int_orders_paid') }}
