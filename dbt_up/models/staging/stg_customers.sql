-- depends_on: {{ ref('raw_customers') }}
with latest as (
    select *
    from {{ source('raw', 'raw_customers') }}
    qualify
        row_number()
            over (partition by customer_id order by _loaded_at desc)
        = 1
),

final as (
    select
        customer_id,
        is_marketing_opted_in,
        signed_up_at,
        _loaded_at as loaded_at,
        trim(full_name) as customer_name,
        lower(trim(email)) as email,
        upper(trim(country_code)) as country_code
    from latest
)

select * from final
