{{ config(database='SHOP_FINANCE', schema='ledger') }}
select order_id, amount from {{ ref('orders') }}
