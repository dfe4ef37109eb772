-- Written by mesh render from mesh.yml. Change that, and run mesh render.
-- Credits a month: at 80 % somebody is told of it, at 100 % the warehouse finishes what it runs, and stops.

use secondary roles none;

-- 1. DBT_UP_WH
-- Works for dbt_up: the quota it asks for.
use role ACCOUNTADMIN;
create resource monitor if not exists DBT_UP_WH_MONITOR with
    credit_quota = 10
    frequency = monthly
    start_timestamp = immediately;
alter resource monitor DBT_UP_WH_MONITOR set credit_quota = 10
    triggers on 80 percent do notify on 100 percent do suspend;
alter warehouse DBT_UP_WH set resource_monitor = DBT_UP_WH_MONITOR;

-- 2. DBT_DOWN_WH
-- Works for dbt_down, dbt_down_loom, dbt_down_package: the largest quota that one of them asks for.
use role ACCOUNTADMIN;
create resource monitor if not exists DBT_DOWN_WH_MONITOR with
    credit_quota = 10
    frequency = monthly
    start_timestamp = immediately;
alter resource monitor DBT_DOWN_WH_MONITOR set credit_quota = 10
    triggers on 80 percent do notify on 100 percent do suspend;
alter warehouse DBT_DOWN_WH set resource_monitor = DBT_DOWN_WH_MONITOR;
