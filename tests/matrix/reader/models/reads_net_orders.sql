select order_id, net_amount from {{ upstream('shop', 'net_orders') }}
