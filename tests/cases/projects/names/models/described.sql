select 1 as id from {{ ref('kept_home') }}
