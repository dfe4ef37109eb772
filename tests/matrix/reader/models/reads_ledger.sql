select order_id, amount from {{ upstream('shop', 'ledger') }}
