select * from {{ source('dbt_up', 'public_orders') }}
union all
select * from {{ ref('archived_orders') }}
