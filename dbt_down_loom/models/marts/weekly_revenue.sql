with orders as (
    select
        order_id,
        is_first_order,
        cast(date_trunc('week', ordered_at) as date) as week_start
    from {{ ref('downstream_orders') }}
),

final as (
    select
        orders.week_start,
        orders.is_first_order,
        baskets.category,
        cast(sum(baskets.spent) as number(12, 2)) as revenue,
        sum(baskets.piece_count) as piece_count
    from {{ ref('int_category_baskets') }} as baskets
    inner join orders on baskets.order_id = orders.order_id
    group by all
)

select * from final
