select
    amount,
from up_prod.marts.public_orders
wher status = 'placed'
group order by
