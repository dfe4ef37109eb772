{{ config(alias='Price List', materialized='table') }}
select 1 as "Product Id", 'tea' as "Name"
