-- depends_on: {{ ref('raw_payments') }}
with source as (
    select distinct * from {{ source('raw', 'raw_payments') }}
),

tidied as (
    select
        payment_id,
        order_id,
        paid_at,
        _loaded_at as loaded_at,
        cast(amount as number(12, 2)) as amount,
        lower(trim(payment_method)) as payment_method,
        lower(trim(status)) as status
    from source
),

final as (
    select * from tidied
    qualify max(loaded_at) over (partition by payment_id) = loaded_at
)

select * from final
