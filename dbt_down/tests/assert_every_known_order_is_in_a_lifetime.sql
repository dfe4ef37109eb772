-- Every order of a known customer is in some lifetime, once.
with lifetimes as (
    select sum(order_count) as order_count from {{ ref('customer_lifetime') }}
),

known as (
    select count(customer_id) as order_count from {{ ref('downstream_orders') }}
)

select
    lifetimes.order_count as counted,
    known.order_count as expected
from lifetimes
inner join known on lifetimes.order_count != known.order_count
