with products as (
    select * from {{ ref('dbt_up', 'public_products') }}
),

final as (
    select
        category,
        count(*) as product_count,
        min(unit_price) as lowest_price,
        max(unit_price) as highest_price
    from products
    where not is_discontinued
    group by category
)

select * from final
