select product_id, unit_price from {{ upstream('shop', 'products') }}
