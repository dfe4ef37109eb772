with customers as (
    select * from {{ ref('dbt_up', 'public_customers') }}
),

orders as (
    select * from {{ ref('dbt_up', 'public_orders') }}
),

histories as (
    select
        customer_id,
        cast(sum(amount) as number(12, 2)) as paid,
        count(*) as order_count,
        sum(case when status = 'returned' then 1 else 0 end) as return_count,
        max(ordered_at) as last_ordered_at
    from orders
    where customer_id is not null
    group by customer_id
),

final as (
    select
        customers.customer_id,
        customers.customer_name,
        histories.last_ordered_at,
        coalesce(histories.order_count, 0) as order_count,
        coalesce(histories.paid, 0) as paid,
        case
            when histories.return_count * 2 > histories.order_count
                then 'ask why'
            when histories.paid >= 150 then 'thank'
            else 'greet'
        end as advice
    from customers
    left join histories on customers.customer_id = histories.customer_id
)

select * from final
