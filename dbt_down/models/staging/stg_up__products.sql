with final as (
    select
        product_id,
        unit_cost,
        coalesce(category, 'other') as category
    from {{ source('dbt_up', 'public_products_v2') }}
)

select * from final
