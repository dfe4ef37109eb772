with orders as (
    select * from {{ source('dbt_up', 'public_orders') }}
    where status != 'cancelled'
),

final as (
    select
        order_id,
        customer_id,
        status,
        amount,
        ordered_at,
        case
            when amount >= {{ var('large_order_from') }} then 'large'
            when amount >= {{ var('medium_order_from') }} then 'medium'
            else 'small'
        end as order_tier
    from orders
)

select * from final
