select
    orders.details.address.city,
    item.sku,
    offset_of_it as place,
    array(select as struct x.* from unnest(orders.details.items) as x) as items
from `up-prod.marts.public_orders` as orders,
    unnest(orders.details.items) as item with offset as offset_of_it
