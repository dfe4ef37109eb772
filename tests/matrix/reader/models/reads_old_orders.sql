select order_id from {{ upstream('shop', 'old_orders') }}
