-- name: identifier
-- reads: orders.id orders.amount
select id from identifier('orders') where amount > 0;
-- name: identifier with its schema
-- reads: orders.id
select id from identifier('shop.public.orders');
-- name: match recognize
-- reads: orders.customer_id orders.ordered_at orders.amount
select m.customer_id, m.n from orders match_recognize (
    partition by customer_id
    order by ordered_at
    measures count(*) as n
    one row per match
    pattern (up+)
    define up as amount > lag(amount)
) as m;
-- name: connect by
-- reads: employees.id employees.manager_id employees.name
select name, level from employees start with manager_id is null connect by manager_id = prior id;
-- name: time travel
-- reads: orders.id
select id from orders at (offset => -60);
-- name: position of a column
-- reads: one_column.id
-- whole: one_column.position
select $1 from one_column;
-- name: quoted in lower case is another column
-- reads: customers.id
select c."n" from (select id as "n" from customers) as c;
-- name: keyed flatten
-- reads: orders.id orders.v
select o.id, f.key, f.path, f.index from orders as o, lateral flatten(input => o.v, outer => true, recursive => true) as f;
-- name: pivot with the names that pivot makes
-- reads: orders.customer_id orders.status orders.amount
select "'paid'" from (select customer_id, status, amount from orders) pivot (sum(amount) for status in ('paid', 'open'));
