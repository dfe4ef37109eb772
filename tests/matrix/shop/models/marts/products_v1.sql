select 1 as product_id, 'tea' as product_name
