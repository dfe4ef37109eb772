with orders as (
    select * from {{ ref('stg_up__orders') }}
    where is_earned
),

items as (select * from {{ ref('stg_up__order_items') }}),

products as (select * from {{ ref('stg_up__products') }}),

final as (
    select
        orders.ordered_month,
        products.category,
        cast(sum(items.line_amount) as number(12, 2)) as revenue,
        cast(
            sum(items.line_amount - items.quantity * products.unit_cost)
            as number(12, 2)
        ) as known_margin,
        count(distinct orders.order_id) as order_count
    from items
    inner join orders on items.order_id = orders.order_id
    inner join products on items.product_id = products.product_id
    group by orders.ordered_month, products.category
)

select * from final
