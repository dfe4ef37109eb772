select amount
from identifier($orders_table)
