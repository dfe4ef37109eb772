{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='order_item_id',
        on_schema_change='append_new_columns',
    )
}}

with items as (
    select * from {{ ref('int_order_items_priced') }}
    {% if is_incremental() %}
        -- by load time, not by event: a late row is newer than all we have
        where
            loaded_at >= (
                select coalesce(max(seen.loaded_at), '1970-01-01') as loaded_at
                from {{ this }} as seen
            )
    {% endif %}
),

final as (
    select
        order_item_id,
        order_id,
        product_id,
        quantity,
        unit_price,
        cast(quantity * unit_price as number(12, 2)) as line_amount,
        loaded_at
    from items
)

select * from final
