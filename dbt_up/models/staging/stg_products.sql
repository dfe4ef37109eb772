-- depends_on: {{ ref('raw_products') }}
with last_loads as (
    select
        *,
        min(_loaded_at) over (partition by product_id) as created_at
    from {{ source('raw', 'raw_products') }}
    qualify _loaded_at = max(_loaded_at) over (partition by product_id)
),

final as (
    select distinct
        product_id,
        unit_price,
        unit_cost,
        created_at,
        trim(product_name) as product_name,
        lower(trim(category)) as category,
        coalesce(is_discontinued, false) as is_discontinued
    from last_loads
)

select * from final
