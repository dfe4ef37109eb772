with numbered as (
    select
        *,
        ntile(4) over (order by amount desc) as amount_quartile,
        row_number() over (
            partition by customer_id
            order by ordered_at
        ) as order_number
    from {{ ref('dbt_up', 'public_orders') }}
    where status in ('shipped', 'completed')
),

final as (
    select
        order_id,
        customer_id,
        amount,
        ordered_at,
        decode(amount_quartile, 1, 'gold', 2, 'silver', 'bronze') as order_tier,
        customer_id is not null and order_number = 1 as is_first_order
    from numbered
)

select * from final
