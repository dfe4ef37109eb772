with orders as (
    select * from {{ ref('public_orders') }}
),

final as (
    select
        cast(ordered_at as date) as ordered_date,
        cast(sum(amount) as number(12, 2)) as revenue,
        count(*) as order_count,
        count_if(status = 'returned') as returned_order_count
    from orders
    where status != 'cancelled'
    group by cast(ordered_at as date)
)

select * from final
