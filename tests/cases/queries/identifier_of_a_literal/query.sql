select amount
from identifier('up_prod.marts.public_orders')
at (timestamp => '2026-01-01'::timestamp_ltz)
