select order_id, name
from up_prod.marts.public_orders
natural join up_prod.marts.public_customers
