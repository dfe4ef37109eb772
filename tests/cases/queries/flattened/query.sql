-- semi-structured: a path reads its column, FLATTEN brings names of its own
select
    o.order_id,
    item.value:sku::varchar as sku,
    item.index as place,
    o.details:"delivery".address::varchar as address,
    value:price::number(10, 2) as price
from up_prod.marts.public_orders as o,
    lateral flatten(input => o.details:items) as item
where price > 0
