with refunds as (
    select * from {{ ref('stg_payments') }}
    where status = 'refunded'
),

final as (
    select
        refunds.payment_id as refund_id,
        orders.order_id,
        orders.customer_id,
        refunds.paid_at as refunded_at,
        -refunds.amount as refunded_amount,
        datediff('day', orders.ordered_at, refunds.paid_at) as days_to_refund
    from refunds
    inner join {{ ref('public_orders') }} as orders
        on refunds.order_id = orders.order_id
)

select * from final
