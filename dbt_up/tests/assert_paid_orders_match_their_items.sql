-- An order that was kept brings in what its lines cost. A few may wait for a
-- line or a payment that comes late; many are a fault.
{{ config(warn_if='>0', error_if='>10') }}

with orders as (
    select * from {{ ref('public_orders') }}
),

lines as (
    select
        order_id,
        cast(sum(line_amount) as number(12, 2)) as line_total
    from {{ ref('public_order_items') }}
    group by order_id
)

select
    orders.order_id,
    orders.amount,
    lines.line_total
from orders
inner join lines on orders.order_id = lines.order_id
where
    orders.status in ('shipped', 'completed')
    and orders.amount != lines.line_total
