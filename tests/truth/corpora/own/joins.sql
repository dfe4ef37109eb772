-- name: using
select amount, name from orders inner join (select id as customer_id, name from customers) as c using (customer_id);
-- name: using with the key in the outputs
select product_id, quantity, category from items inner join products using (product_id);
-- name: using and a star
select * from items inner join prices using (product_id);
-- name: natural
-- excused: -products.* -prices.* +products.* +prices.* (both may get a column of one name on one day)
select category, list_price from products natural join prices;
-- name: left, and the right side's null
select c.id from customers as c left join orders as o on o.customer_id = c.id where o.id is null;
-- name: full
select coalesce(o.id, r.id) as id from orders as o full outer join returns as r on o.id = r.id;
-- name: cross
select r.status, p.category from returns as r cross join products as p;
-- name: comma
select o.id from orders as o, customers as c where o.customer_id = c.id and c.country = 'DE';
-- name: self
select e.name, m.name as boss from employees as e left join employees as m on e.manager_id = m.id;
-- name: between
select o.id, p.list_price from orders as o inner join prices as p on o.ordered_at >= p.valid_from;
-- name: asof
select i.order_id, p.list_price
from items as i asof join prices as p match_condition (i.loaded_at >= p.valid_from) on i.product_id = p.product_id;
-- engine:
select i.order_id, p.list_price
from items as i asof join prices as p on i.product_id = p.product_id and i.loaded_at >= p.valid_from;
-- name: three tables and bare names
select status, quantity, category
from orders inner join items on orders.id = order_id inner join products on items.product_id = products.product_id;
-- name: a join of a join
select o.id, x.category from orders as o left join (items as i inner join products as x on i.product_id = x.product_id) on o.id = i.order_id;
