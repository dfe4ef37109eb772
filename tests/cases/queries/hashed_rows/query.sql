select
    order_id,
    hash(*) as row_hash
from up_prod.marts.public_orders
