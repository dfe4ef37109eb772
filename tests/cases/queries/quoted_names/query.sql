select
    "ORDER_ID",
    amount as "Amount",
    "Net Price"
from "UP_PROD"."MARTS"."PUBLIC_ORDERS"
