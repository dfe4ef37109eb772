select customer_id, "Full Name" from {{ upstream('shop', 'customers') }}
