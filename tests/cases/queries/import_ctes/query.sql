-- jaffle-shop's manners: import whole tables first, name columns later
with

orders as (

    select * from up_prod.marts.public_orders

),

customers as (

    select * from up_prod.marts.public_customers

),

joined as (

    select
        orders.order_id,
        orders.amount,
        customers.region,
        coalesce(customers.name, 'unknown') as customer_name

    from orders

    left join customers
        on orders.customer_id = customers.customer_id

    where orders.status != 'cancelled'

)

select * from joined
