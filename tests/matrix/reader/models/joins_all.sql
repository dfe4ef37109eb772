select orders.order_id, orders.amount, ledger.amount as booked, prices."Name" as product
from {{ ref('reads_orders') }} as orders
inner join {{ upstream('shop', 'ledger') }} as ledger on orders.order_id = ledger.order_id
cross join {{ upstream('legacy', 'prices') }} as prices
