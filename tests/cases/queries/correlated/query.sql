-- `region` means the customer's only as long as orders have none
select name
from up_prod.marts.public_customers
where exists (
    select *
    from up_prod.marts.public_orders as o
    where
        o.customer_id = public_customers.customer_id
        and region = 'north'
)
