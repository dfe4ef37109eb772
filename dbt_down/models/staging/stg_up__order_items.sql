with final as (
    select
        order_item_id,
        order_id,
        product_id,
        quantity,
        line_amount
    from {{ source('dbt_up', 'public_order_items') }}
)

select * from final
