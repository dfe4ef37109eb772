select order_id, {{ function('net_of_tax') }}(amount) as net_amount from {{ ref('orders') }}
