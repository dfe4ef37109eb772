-- depends_on: {{ ref('raw_order_items') }}
with loads as (
    select
        *,
        row_number() over (
            partition by order_item_id
            order by _loaded_at desc
        ) as load_rank
    from {{ source('raw', 'raw_order_items') }}
),

final as (
    select
        order_item_id,
        product_id,
        order_id,
        quantity,
        unit_price,
        _loaded_at as loaded_at
    from loads
    where load_rank = 1
)

select * from final
