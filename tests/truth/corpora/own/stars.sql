-- name: everything
select * from returns;
-- name: everything of one of two
select o.*, c.name from returns as o inner join customers as c on o.customer_id = c.id;
-- name: everything of both
select * from returns as o inner join employees as e on o.customer_id = e.id;
-- name: exclude one
select * exclude email from customers;
-- name: exclude several
select * exclude (email, country) from customers;
-- name: rename
select * rename (id as customer_key) from employees;
-- name: replace
select * replace (upper(status) as status) from returns;
-- name: exclude and rename
select * exclude (status) rename (amount as money) from returns;
-- name: exclude of one table
select o.* exclude (customer_id), c.name from returns as o inner join customers as c on c.id = o.customer_id;
-- name: star in a subquery of which one column is taken
select name from (select * from customers) as c;
-- name: exclude in a cte
with c as (select * exclude (email) from customers) select name, country from c;
-- name: count star
select count(*) as n from orders;
-- name: distinct star
select distinct * from returns;
-- name: distinct rows, of which one column is taken
select status from (select distinct * from returns) as d;
-- name: star beside a window
select *, row_number() over (partition by customer_id order by ordered_at desc) as position from returns;
-- name: latest row by a qualified star
select * from returns qualify row_number() over (partition by customer_id order by ordered_at desc) = 1;
-- name: one star is for existence only
select c.name from customers as c where exists (select * from orders as o where o.customer_id = c.id);
-- name: star in an in list of one column
select id from orders where customer_id in (select * from one_column);
-- name: star in a scalar subquery
select id, (select * from one_column limit 1) as one from orders;
-- name: ilike
-- excused: -items.* +items.* (what the pattern does not fit is read as well)
select * ilike '%id' from items;
-- engine:
select columns(lambda c: c ilike '%id') from items;
-- name: whole row as an object
select object_construct(*) as row from employees;
-- engine:
select to_json(employees) as row from employees;
-- name: whole row hashed
select hash(*) as row from employees;
-- engine:
select hash(employees) as row from employees;
-- name: count of distinct rows by columns
select count(distinct status, customer_id) as n from orders;
-- engine:
select count(distinct (status, customer_id)) as n from orders;
