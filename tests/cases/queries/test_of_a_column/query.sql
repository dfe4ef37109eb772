-- what dbt compiles `accepted_values` to
with all_values as (

    select
        status as value_field,
        count(*) as n_records

    from up_prod.marts.public_orders
    group by status

)

select *
from all_values
where value_field not in (
    'placed', 'shipped', 'completed', 'returned'
)
