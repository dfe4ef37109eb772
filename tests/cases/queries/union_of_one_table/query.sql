-- what comes and goes in one half does so in the other
select *, 'new' as kind from up_prod.marts.public_orders where amount > 0
union all
select *, 'old' as kind from up_prod.marts.public_orders where amount <= 0
