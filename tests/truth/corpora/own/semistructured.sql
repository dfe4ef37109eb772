-- name: path
select v:address.city::varchar as city from orders;
-- name: path of an alias
select o.v:lines[0].sku::varchar as sku from orders as o where o.v:kind = 'web';
-- name: brackets
select v['a']['b'] as b from orders;
-- name: get
select get_path(v, 'a.b') as b, id from orders;
-- name: flatten of an array
select o.id, f.value as tag from orders as o, lateral flatten(input => o.tags) as f;
-- engine:
select o.id, f.value as tag from orders as o, lateral (select unnest(o.tags) as value) as f;
-- name: flatten by name of the column alone
select id, value as tag from orders, lateral flatten(input => tags);
-- engine:
select id, value as tag from orders, lateral (select unnest(tags) as value);
-- name: flatten of a path
select o.id, f.value:sku::varchar as sku from orders as o, lateral flatten(input => o.v:lines) as f;
-- engine:
select o.id, f.value ->> '$.sku' as sku from orders as o, lateral (select unnest(cast(o.v -> '$.lines' as json[])) as value) as f;
-- name: flatten in a cte with a star
with flat as (select o.*, f.value as tag from orders as o, lateral flatten(input => o.tags) as f)
select id, tag from flat;
-- engine:
with flat as (select o.*, f.value as tag from orders as o, lateral (select unnest(o.tags) as value) as f)
select id, tag from flat;
-- name: table function
select f.value as tag from orders as o, table(flatten(o.tags)) as f;
-- engine:
select f.value as tag from orders as o, lateral (select unnest(o.tags) as value) as f;
-- name: flatten twice
select o.id, g.value as piece
from orders as o, lateral flatten(input => o.tags) as f, lateral flatten(input => split(f.value, '-')) as g;
-- engine:
select o.id, g.value as piece
from orders as o, lateral (select unnest(o.tags) as value) as f, lateral (select unnest(split(f.value, '-')) as value) as g;
-- name: split to table
select o.id, s.value as word from orders as o, lateral split_to_table(o.status, ' ') as s;
-- engine:
select o.id, s.value as word from orders as o, lateral (select unnest(split(o.status, ' ')) as value) as s;
-- name: object of columns
select object_construct('id', id, 'amount', amount) as o from orders;
-- engine:
select {'id': id, 'amount': amount} as o from orders;
-- name: array of columns
select customer_id, array_agg(status) within group (order by ordered_at) as all_of_them from orders group by customer_id;
-- engine:
select customer_id, list(status order by ordered_at) as all_of_them from orders group by customer_id;
