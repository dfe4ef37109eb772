-- without qualifiers a new column of either table may be ambiguous
select
    order_id,
    name,
    amount * 2 as doubled
from up_prod.marts.public_orders
inner join up_prod.marts.public_customers using (customer_id)
where doubled > 10
order by doubled
