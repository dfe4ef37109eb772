-- name: correlated
select c.name, (select max(o.amount) from orders as o where o.customer_id = c.id) as largest from customers as c;
-- name: correlated without names of tables
select name from customers where exists (select 1 from orders where customer_id = customers.id and amount > 5);
-- name: a bare name that only the outer query has
select name from customers where exists (select 1 from items where order_id = id and country = 'DE');
-- name: in
select id from orders where customer_id in (select id from customers where country = 'DE');
-- name: not in
select id from orders where customer_id not in (select customer_id from returns);
-- name: any
select id from orders where amount > any (select price from items);
-- name: scalar in case
select case when (select count(*) from returns) > 0 then status else 'none' end as s from orders;
-- name: in join condition
select o.id from orders as o inner join customers as c on c.id = o.customer_id and c.id in (select manager_id from employees);
-- name: in having
select customer_id from orders group by customer_id having sum(amount) > (select avg(amount) from returns);
-- name: derived table with column names
select d.k from (select id, amount from orders) as d (k, money) where d.money > 1;
-- name: lateral subquery
select c.name, last_order.amount
from customers as c, lateral (select o.amount from orders as o where o.customer_id = c.id) as last_order;
-- name: exists with names of both
select o.id from orders as o where exists (select r.id from returns as r where r.id = o.id and r.amount = o.amount);
-- name: two levels up
select name from customers as c where exists (
    select 1 from orders as o where o.customer_id = c.id and exists (select 1 from items as i where i.order_id = o.id and i.price > c.id)
);
