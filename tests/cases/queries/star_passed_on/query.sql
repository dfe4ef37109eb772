-- columns that nobody here names leave the query as they came
with source as (
    select * from up_prod.marts.public_orders
),

renamed as (
    select
        * exclude (status) rename (amount as order_total),
        status = 'returned' as is_returned
    from source
)

select * from renamed
