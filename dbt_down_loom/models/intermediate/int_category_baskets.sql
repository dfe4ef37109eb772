with bought as (
    select
        items.order_id,
        products.category,
        items.product_id,
        items.quantity,
        items.line_amount
    from {{ ref('dbt_up', 'public_order_items') }} as items
    inner join {{ ref('dbt_up', 'public_products', v=2) }} as products
        on items.product_id = products.product_id
    where not products.is_discontinued
),

final as (
    select
        order_id,
        category,
        cast(sum(line_amount) as number(12, 2)) as spent,
        sum(quantity) as piece_count,
        count(distinct product_id) as product_count
    from bought
    group by order_id, category
)

select * from final
