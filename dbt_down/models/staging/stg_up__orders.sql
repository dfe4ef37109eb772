with final as (
    select
        order_id,
        status,
        cast(date_trunc('month', ordered_at) as date) as ordered_month,
        status in ('shipped', 'completed') as is_earned
    from {{ source('dbt_up', 'public_orders') }}
)

select * from final
