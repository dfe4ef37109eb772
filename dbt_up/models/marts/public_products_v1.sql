with products as (
    select * from {{ ref('public_products', v=2) }}
),

final as (
    select
        product_id,
        product_name,
        category,
        unit_price
    from products
)

select * from final
