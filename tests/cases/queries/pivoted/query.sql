-- every column that the pivot does not name is a group
select *
from up_prod.marts.public_orders
    pivot (sum(amount) for status in ('placed', 'returned')) as p
