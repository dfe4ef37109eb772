{{ config(alias='Clients') }}
select distinct customer_id, 'ann' as "Full Name" from {{ ref('orders') }}
