from up_prod.marts.public_orders as o
select o.customer_id, total: sum(o.amount)
group by all
having total > 10
