with products as (
    select * from {{ ref('stg_products') }}
),

final as (
    select
        product_id,
        product_name,
        category,
        unit_price,
        unit_cost,
        is_discontinued,
        created_at
    from products
)

select * from final
