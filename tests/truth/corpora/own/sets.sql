-- name: union by position
select id, amount from orders union all select id, amount from returns;
-- name: union of stars
select * from returns union all select id, customer_id, status, amount, ordered_at from orders;
-- name: union of stars in a cte, of which one column is taken
with both_of_them as (select * from returns union all select * from returns) select amount from both_of_them;
-- name: union with names of the first
select id as k, status as s from orders union select customer_id, country from customers inner join returns on customers.id = returns.customer_id;
-- name: intersect
select customer_id from orders intersect select id from customers;
-- name: except
select id from customers except select customer_id from orders;
-- name: except of stars
select * from returns except select id, customer_id, status, amount, ordered_at from orders;
-- name: union whose second side has another column in the place
with u as (select id as a, amount as b from orders union all select id as b, amount as a from returns) select a from u;
-- name: union by name
select id, amount from orders union all by name select amount, id from returns;
-- name: union of three, ordered by its first name
select id from orders union all select id from returns union all select id from customers order by id;
-- name: union in parentheses
(select id from orders limit 1) union all (select id from returns limit 1);
-- name: ordered by ordinal
select id, amount from orders union all select id, amount from returns order by 2;
