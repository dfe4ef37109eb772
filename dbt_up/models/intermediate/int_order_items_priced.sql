with items as (
    select * from {{ ref('stg_order_items') }}
),

list_prices as (
    select
        product_id,
        unit_price as list_price
    from {{ ref('stg_products') }}
),

final as (
    select
        items.order_item_id,
        items.order_id,
        items.product_id,
        items.quantity,
        items.loaded_at,
        items.unit_price is null as is_list_price,
        coalesce(items.unit_price, list_prices.list_price) as unit_price
    from items
    inner join list_prices on items.product_id = list_prices.product_id
)

select * from final
