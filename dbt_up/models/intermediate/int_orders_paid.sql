with payments as (
    select
        order_id,
        paid_at,
        cast(greatest(amount, 0) as number(12, 2)) as settled,
        cast(greatest(-amount, 0) as number(12, 2)) as refunded
    from {{ ref('stg_payments') }}
    where status in ('settled', 'refunded')
),

final as (
    select
        order_id,
        cast(sum(settled) as number(12, 2)) as gross_amount,
        cast(sum(refunded) as number(12, 2)) as refunded_amount,
        cast(sum(settled - refunded) as number(12, 2)) as net_amount,
        min(paid_at) as first_paid_at
    from payments
    group by order_id
)

select * from final
