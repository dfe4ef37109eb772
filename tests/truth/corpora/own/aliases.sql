-- name: lateral alias
select amount * 2 as twice, twice + 1 as more from orders;
-- name: an alias in where
select amount * 2 as twice from orders where twice > 10;
-- name: an alias in group by
select date_trunc('month', ordered_at) as month, count(*) as n from orders group by month;
-- name: an alias in having
-- excused: +orders.total (Snowflake would take the column, this engine takes the alias)
select status, sum(amount) as total from orders group by status having total > 10;
-- name: an alias in order by
select id, amount * 2 as twice from orders order by twice;
-- name: an alias with a column's name in order by
select id, -amount as amount from orders order by amount;
-- name: an alias with the name of another column
select status as amount, amount as total from returns;
-- name: group by ordinal
select status, customer_id, sum(amount) as total from orders group by 1, 2;
-- name: group by all
select status, customer_id, sum(amount) as total from orders group by all;
-- name: order by ordinal
select status, amount from orders order by 2;
-- name: order by all
select status, amount from orders order by all;
-- engine:
select status, amount from orders order by all;
-- name: rollup
select status, customer_id, sum(amount) as total from orders group by rollup (status, customer_id);
-- name: grouping sets
select status, sum(amount) as total from orders group by grouping sets ((status), ());
-- name: quoted
select "Mixed Case" as mixed, "NAME" from customers;
-- name: quoted through a cte
with c as (select * from customers) select "Mixed Case" from c;
-- name: other cases
select ID, Status, oRdErS.amount from ORDERS;
-- name: table with its schema
select orders.id from shop.public.orders;
-- engine:
select orders.id from orders;
-- name: column with its schema
select public.orders.id from public.orders;
-- engine:
select orders.id from orders;
