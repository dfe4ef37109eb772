with orders as (
    select * from {{ ref('stg_orders') }}
),

paid as (
    select * from {{ ref('int_orders_paid') }}
),

final as (
    select
        orders.order_id,
        orders.customer_id,
        orders.status,
        cast(coalesce(paid.net_amount, 0) as number(12, 2)) as amount,
        orders.ordered_at,
        orders.created_at
    from orders
    left join paid on orders.order_id = paid.order_id
)

select * from final
