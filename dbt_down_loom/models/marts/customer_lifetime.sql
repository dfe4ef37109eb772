with history as (
    select
        sign_ups.customer_id,
        sign_ups.cohort_month,
        sign_ups.is_reachable,
        cast(sum(coalesce(orders.amount, 0)) as number(12, 2))
            as lifetime_value,
        count(orders.order_id) as kept_order_count,
        min(datediff('day', sign_ups.signed_up_at, orders.ordered_at))
            as days_to_first_order
    from {{ ref('int_sign_ups') }} as sign_ups
    left join {{ ref('downstream_orders') }} as orders
        on sign_ups.customer_id = orders.customer_id
    group by all
),

final as (
    select
        *,
        case
            when kept_order_count = 0 then 'prospect'
            when kept_order_count < 4 then 'buyer'
            else 'regular'
        end as lifecycle_stage
    from history
)

select * from final
