-- name: rank
select id, rank() over (partition by status order by amount desc) as place from orders;
-- name: frame
select id, sum(amount) over (partition by customer_id order by ordered_at rows between unbounded preceding and current row) as running from orders;
-- name: qualify by alias
select id, row_number() over (partition by customer_id order by ordered_at) as place from orders qualify place = 1;
-- name: qualify by expression
select id from orders qualify count(*) over (partition by status) > 1;
-- name: lag
select id, amount - lag(amount) over (order by ordered_at) as step from orders;
-- name: window over an aggregate
select status, sum(sum(amount)) over (order by status) as running from orders group by status;
-- name: first value that is not null
select id, first_value(tags) ignore nulls over (partition by customer_id order by ordered_at) as t from orders;
-- engine:
select id, first_value(tags ignore nulls) over (partition by customer_id order by ordered_at) as t from orders;
-- name: within group
select status, listagg(customer_id, ',') within group (order by ordered_at) as ids from orders group by status;
-- engine:
select status, string_agg(customer_id, ',' order by ordered_at) as ids from orders group by status;
