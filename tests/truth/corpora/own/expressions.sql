-- name: case
select case when status = 'paid' then amount when status = 'open' then 0 end as x from orders;
-- name: case of a value
select case status when 'paid' then customer_id end as x from orders;
-- name: iff and friends
select iff(amount > 1, status, 'x') as a, nvl(customer_id, id) as b, zeroifnull(amount) as c from orders;
-- name: dates
select dateadd('day', 1, ordered_at) as next_day, datediff('day', ordered_at, current_timestamp()) as age from orders;
-- name: filter by a cast
select id from orders where ordered_at::date = '2026-01-01';
-- name: like any
select id from orders where status like any ('p%', 'o%');
-- engine:
select id from orders where status like 'p%' or status like 'o%';
-- name: interval
select id from orders where ordered_at > current_date - interval '7 days';
-- name: nulls last
select id from orders order by amount desc nulls last limit 3;
-- name: distinct
select distinct status from orders;
-- name: aggregate with distinct and filter by case
select count(distinct case when amount > 0 then customer_id end) as n from orders;
-- name: max by
select customer_id, max_by(status, ordered_at) as last_status from orders group by customer_id;
-- name: boolean aggregate
select count_if(status = 'paid') as n from orders;
-- name: decode
select decode(status, 'paid', amount, 0) as x from orders;
-- engine:
select case when status = 'paid' then amount else 0 end as x from orders;
-- name: sample
select id from orders tablesample bernoulli (10);
-- engine:
select id from orders using sample 100 percent (bernoulli);
-- name: comments between
select
    id, -- status
    /* amount */ customer_id
from orders;
-- name: no table
select 1 as one;
-- name: words in strings
select 'status' as word, id from orders;
