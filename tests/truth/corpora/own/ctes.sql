-- name: import ctes and select star from final
with orders_in as (select * from orders),
customers_in as (select * from customers),
final as (
    select customers_in.name, sum(orders_in.amount) as total
    from customers_in
    inner join orders_in on customers_in.id = orders_in.customer_id
    group by customers_in.name
)
select * from final;
-- name: a chain in which a column is named once and not given on
with a as (select * from orders),
b as (select * from a where status = 'paid'),
c as (select id, amount from b)
select id from c;
-- name: a cte that nobody reads
-- excused: -customers.email (this engine does not look at it)
with unused as (select email from customers)
select id from orders;
-- name: a cte that hides a table's name
with customers as (select id as name from orders)
select name from customers;
-- name: a cte that hides a table inside itself
with orders as (select * from orders where amount > 0)
select id, status from orders;
-- name: nested with
with outer_one as (
    with inner_one as (select customer_id, amount from orders)
    select customer_id, sum(amount) as total from inner_one group by customer_id
)
select total from outer_one;
-- name: with column names of its own
with paid (k, money) as (select id, amount from orders)
select k from paid where money > 1;
-- name: recursive
with recursive chain as (
    select id, manager_id, 1 as depth from employees where manager_id is null
    union all
    select e.id, e.manager_id, chain.depth + 1
    from employees as e inner join chain on e.manager_id = chain.id
)
select id, depth from chain;
-- name: a cte read twice
with o as (select id, customer_id, amount from orders)
select a.id, b.amount from o as a inner join o as b on a.customer_id = b.customer_id;
-- name: a star through three ctes to the outputs
with a as (select * from returns), b as (select * from a), c as (select * from b)
select * from c where amount > 0;
-- name: with in a subquery of from
select s.total from (
    with x as (select status, amount from orders) select sum(amount) as total from x where status = 'paid'
) as s;
-- name: values
with tiers as (select * from (values ('small', 10), ('large', 100)) as t (tier, lowest))
select orders.id, tiers.tier from orders inner join tiers on orders.amount >= tiers.lowest;
