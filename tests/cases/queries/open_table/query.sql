-- not all columns of public_events are known: there is no contract
select
    e.*,
    customers.name,
    occurred_at
from up_prod.marts.public_events as e
inner join up_prod.marts.public_customers as customers
    on e.customer_id = customers.customer_id
