{% snapshot amounts %}
select order_id, amount from {{ source('dbt_up', 'public_orders') }}
{% endsnapshot %}
