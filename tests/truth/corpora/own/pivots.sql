-- name: pivot with all of its columns named
select * from (select customer_id, status, amount from orders) as o
pivot (sum(amount) for status in ('paid', 'open')) as p (customer_id, paid, still_open);
-- name: pivot of a table
select customer_id, paid from returns
pivot (sum(amount) for status in ('paid', 'open')) as p (id, customer_id, ordered_at, paid, still_open);
-- name: unpivot
select region, month, n from monthly unpivot (n for month in (jan, feb, mar));
-- name: unpivot of two and a star
select * from monthly unpivot (n for month in (jan, feb));
-- name: unpivot of a cte
with m as (select region, jan, feb from monthly)
select region, n from m unpivot (n for month in (jan, feb));
