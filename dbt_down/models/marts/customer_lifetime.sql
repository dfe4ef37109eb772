with customers as (
    select * from {{ source('dbt_up', 'public_customers') }}
),

orders as (
    select
        customer_id,
        count(*) as order_count,
        count_if(order_tier = 'large') as large_order_count,
        min(ordered_at) as first_ordered_at,
        max(ordered_at) as last_ordered_at,
        sum(amount) as lifetime_amount
    from {{ ref('downstream_orders') }}
    group by customer_id
),

final as (
    select
        customers.customer_id,
        customers.country_code,
        orders.first_ordered_at,
        orders.last_ordered_at,
        cast(coalesce(orders.lifetime_amount, 0) as number(12, 2))
            as lifetime_amount,
        coalesce(orders.order_count, 0) as order_count,
        coalesce(orders.large_order_count, 0) as large_order_count,
        coalesce(orders.order_count > 1, false) as is_returning
    from customers
    left join orders on customers.customer_id = orders.customer_id
)

select * from final
