select product_id, product_name from {{ upstream('shop', 'products', v=1) }}
