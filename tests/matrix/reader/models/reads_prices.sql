select "Product Id", "Name" from {{ upstream('legacy', 'prices') }}
