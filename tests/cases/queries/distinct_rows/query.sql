-- rows are told apart by all columns there are
select count(*) as rows_there_are
from (
    select distinct * from up_prod.marts.public_orders
)
