-- the tables have to have the same columns in the same order
select * from up_prod.marts.public_orders
union all
select * from up_prod.marts.public_returns
