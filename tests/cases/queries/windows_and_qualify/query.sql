select
    customer_id,
    sum(amount) over (partition by customer_id order by ordered_at) as running,
    running / nullif(sum(amount) over (), 0) as share
from up_prod.marts.public_orders
qualify dense_rank() over (order by running desc) <= 3
