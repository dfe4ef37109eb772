{{ config(alias='products_current') }}
select 1 as product_id, 'tea' as product_name, 4.5 as unit_price
