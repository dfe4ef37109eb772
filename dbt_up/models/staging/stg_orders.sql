-- depends_on: {{ ref('raw_orders') }}
with source as (
    select * from {{ source('raw', 'raw_orders') }}
),

final as (
    select
        order_id,
        customer_id,
        ordered_at,
        _loaded_at as loaded_at,
        min(_loaded_at) over (partition by order_id) as created_at,
        lower(trim(status)) as status
    from source
    qualify
        row_number() over (
            partition by order_id
            order by _loaded_at desc
        ) = 1
)

select * from final
