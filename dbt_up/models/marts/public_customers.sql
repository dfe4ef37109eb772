with customers as (
    select * from {{ ref('stg_customers') }}
),

final as (
    select
        customer_id,
        customer_name,
        email,
        country_code,
        is_marketing_opted_in,
        signed_up_at
    from customers
)

select * from final
