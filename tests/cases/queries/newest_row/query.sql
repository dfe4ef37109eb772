-- deduplication: the star is only picked from
with numbered as (
    select
        *,
        row_number() over (
            partition by customer_id
            order by ordered_at desc
        ) as place
    from up_prod.marts.public_orders
)

select
    order_id,
    customer_id
from numbered
where place = 1
