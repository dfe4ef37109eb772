with final as (
    select
        customer_id,
        signed_up_at,
        is_marketing_opted_in as is_reachable,
        cast(date_trunc('month', signed_up_at) as date) as cohort_month
    from {{ ref('dbt_up', 'public_customers') }}
)

select * from final
