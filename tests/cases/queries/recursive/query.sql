with recursive chain as (
    select
        order_id,
        customer_id,
        1 as depth
    from up_prod.marts.public_orders

    union all

    select
        o.order_id,
        chain.customer_id,
        chain.depth + 1
    from chain
    inner join up_prod.marts.public_orders as o
        on chain.order_id = o.customer_id
)

select
    customer_id,
    max(depth) as longest
from chain
group by 1
