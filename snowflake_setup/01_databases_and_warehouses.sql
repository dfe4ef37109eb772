-- Written by mesh render from mesh.yml. Change that, and run mesh render.
-- Databases by project and environment, their schemas and warehouses, and tags that say whose cost it is.
-- Managed access takes a schema's ownership and MANAGE GRANTS at once, which ACCOUNTADMIN alone has.

use secondary roles none;

-- 1. MESH_GOVERNANCE
-- Tags and policies belong to no project; a bill is split by these tags (ACCOUNT_USAGE.TAG_REFERENCES).
use role SYSADMIN;
create database if not exists MESH_GOVERNANCE;
create schema if not exists MESH_GOVERNANCE.TAGS;
create schema if not exists MESH_GOVERNANCE.POLICIES;
create tag if not exists MESH_GOVERNANCE.TAGS.MESH_PROJECT;
create tag if not exists MESH_GOVERNANCE.TAGS.MESH_ENVIRONMENT;

-- 2. dbt_up
-- What stands in prod lasts, as others read it; in ci and dev each job and each person adds schemas.
use role SYSADMIN;
create warehouse if not exists DBT_UP_WH warehouse_size = XSMALL initially_suspended = true;
alter warehouse DBT_UP_WH set
    warehouse_size = XSMALL
    auto_suspend = 60
    auto_resume = true
    statement_timeout_in_seconds = 3600;
create database if not exists DBT_UP_PROD;
create schema if not exists DBT_UP_PROD.RAW;
create schema if not exists DBT_UP_PROD.STAGING;
create schema if not exists DBT_UP_PROD.MARTS;
create database if not exists DBT_UP_CI;
create schema if not exists DBT_UP_CI.RAW;
create schema if not exists DBT_UP_CI.STAGING;
create schema if not exists DBT_UP_CI.MARTS;
create database if not exists DBT_UP_DEV;
create schema if not exists DBT_UP_DEV.RAW;
create schema if not exists DBT_UP_DEV.STAGING;
create schema if not exists DBT_UP_DEV.MARTS;

use role ACCOUNTADMIN;
alter warehouse DBT_UP_WH set tag
    MESH_GOVERNANCE.TAGS.MESH_PROJECT = 'dbt_up',
    MESH_GOVERNANCE.TAGS.MESH_ENVIRONMENT = 'prod ci dev';
alter schema DBT_UP_PROD.RAW enable managed access;
alter schema DBT_UP_PROD.STAGING enable managed access;
alter schema DBT_UP_PROD.MARTS enable managed access;
alter database DBT_UP_PROD set tag
    MESH_GOVERNANCE.TAGS.MESH_PROJECT = 'dbt_up',
    MESH_GOVERNANCE.TAGS.MESH_ENVIRONMENT = 'prod';
alter schema DBT_UP_CI.RAW enable managed access;
alter schema DBT_UP_CI.STAGING enable managed access;
alter schema DBT_UP_CI.MARTS enable managed access;
alter database DBT_UP_CI set tag
    MESH_GOVERNANCE.TAGS.MESH_PROJECT = 'dbt_up',
    MESH_GOVERNANCE.TAGS.MESH_ENVIRONMENT = 'ci';
alter schema DBT_UP_DEV.RAW enable managed access;
alter schema DBT_UP_DEV.STAGING enable managed access;
alter schema DBT_UP_DEV.MARTS enable managed access;
alter database DBT_UP_DEV set tag
    MESH_GOVERNANCE.TAGS.MESH_PROJECT = 'dbt_up',
    MESH_GOVERNANCE.TAGS.MESH_ENVIRONMENT = 'dev';

-- 3. dbt_down
-- What stands in prod lasts, as others read it; in ci and dev each job and each person adds schemas.
use role SYSADMIN;
create warehouse if not exists DBT_DOWN_WH warehouse_size = XSMALL initially_suspended = true;
alter warehouse DBT_DOWN_WH set
    warehouse_size = XSMALL
    auto_suspend = 60
    auto_resume = true
    statement_timeout_in_seconds = 3600;
create database if not exists DBT_DOWN_PROD;
create schema if not exists DBT_DOWN_PROD.RAW;
create schema if not exists DBT_DOWN_PROD.STAGING;
create schema if not exists DBT_DOWN_PROD.MARTS;
create database if not exists DBT_DOWN_CI;
create schema if not exists DBT_DOWN_CI.RAW;
create schema if not exists DBT_DOWN_CI.STAGING;
create schema if not exists DBT_DOWN_CI.MARTS;
create database if not exists DBT_DOWN_DEV;
create schema if not exists DBT_DOWN_DEV.RAW;
create schema if not exists DBT_DOWN_DEV.STAGING;
create schema if not exists DBT_DOWN_DEV.MARTS;

use role ACCOUNTADMIN;
alter warehouse DBT_DOWN_WH set tag
    MESH_GOVERNANCE.TAGS.MESH_PROJECT = 'dbt_down dbt_down_loom dbt_down_package',
    MESH_GOVERNANCE.TAGS.MESH_ENVIRONMENT = 'prod ci dev';
alter schema DBT_DOWN_PROD.RAW enable managed access;
alter schema DBT_DOWN_PROD.STAGING enable managed access;
alter schema DBT_DOWN_PROD.MARTS enable managed access;
alter database DBT_DOWN_PROD set tag
    MESH_GOVERNANCE.TAGS.MESH_PROJECT = 'dbt_down',
    MESH_GOVERNANCE.TAGS.MESH_ENVIRONMENT = 'prod';
alter schema DBT_DOWN_CI.RAW enable managed access;
alter schema DBT_DOWN_CI.STAGING enable managed access;
alter schema DBT_DOWN_CI.MARTS enable managed access;
alter database DBT_DOWN_CI set tag
    MESH_GOVERNANCE.TAGS.MESH_PROJECT = 'dbt_down',
    MESH_GOVERNANCE.TAGS.MESH_ENVIRONMENT = 'ci';
alter schema DBT_DOWN_DEV.RAW enable managed access;
alter schema DBT_DOWN_DEV.STAGING enable managed access;
alter schema DBT_DOWN_DEV.MARTS enable managed access;
alter database DBT_DOWN_DEV set tag
    MESH_GOVERNANCE.TAGS.MESH_PROJECT = 'dbt_down',
    MESH_GOVERNANCE.TAGS.MESH_ENVIRONMENT = 'dev';

-- 4. dbt_down_loom
-- What stands in prod lasts, as others read it; in ci and dev each job and each person adds schemas.
use role SYSADMIN;
create database if not exists DBT_DOWN_LOOM_PROD;
create schema if not exists DBT_DOWN_LOOM_PROD.RAW;
create schema if not exists DBT_DOWN_LOOM_PROD.STAGING;
create schema if not exists DBT_DOWN_LOOM_PROD.MARTS;
create database if not exists DBT_DOWN_LOOM_CI;
create schema if not exists DBT_DOWN_LOOM_CI.RAW;
create schema if not exists DBT_DOWN_LOOM_CI.STAGING;
create schema if not exists DBT_DOWN_LOOM_CI.MARTS;
create database if not exists DBT_DOWN_LOOM_DEV;
create schema if not exists DBT_DOWN_LOOM_DEV.RAW;
create schema if not exists DBT_DOWN_LOOM_DEV.STAGING;
create schema if not exists DBT_DOWN_LOOM_DEV.MARTS;

use role ACCOUNTADMIN;
alter schema DBT_DOWN_LOOM_PROD.RAW enable managed access;
alter schema DBT_DOWN_LOOM_PROD.STAGING enable managed access;
alter schema DBT_DOWN_LOOM_PROD.MARTS enable managed access;
alter database DBT_DOWN_LOOM_PROD set tag
    MESH_GOVERNANCE.TAGS.MESH_PROJECT = 'dbt_down_loom',
    MESH_GOVERNANCE.TAGS.MESH_ENVIRONMENT = 'prod';
alter schema DBT_DOWN_LOOM_CI.RAW enable managed access;
alter schema DBT_DOWN_LOOM_CI.STAGING enable managed access;
alter schema DBT_DOWN_LOOM_CI.MARTS enable managed access;
alter database DBT_DOWN_LOOM_CI set tag
    MESH_GOVERNANCE.TAGS.MESH_PROJECT = 'dbt_down_loom',
    MESH_GOVERNANCE.TAGS.MESH_ENVIRONMENT = 'ci';
alter schema DBT_DOWN_LOOM_DEV.RAW enable managed access;
alter schema DBT_DOWN_LOOM_DEV.STAGING enable managed access;
alter schema DBT_DOWN_LOOM_DEV.MARTS enable managed access;
alter database DBT_DOWN_LOOM_DEV set tag
    MESH_GOVERNANCE.TAGS.MESH_PROJECT = 'dbt_down_loom',
    MESH_GOVERNANCE.TAGS.MESH_ENVIRONMENT = 'dev';

-- 5. dbt_down_package
-- What stands in prod lasts, as others read it; in ci and dev each job and each person adds schemas.
use role SYSADMIN;
create database if not exists DBT_DOWN_PACKAGE_PROD;
create schema if not exists DBT_DOWN_PACKAGE_PROD.RAW;
create schema if not exists DBT_DOWN_PACKAGE_PROD.STAGING;
create schema if not exists DBT_DOWN_PACKAGE_PROD.MARTS;
create database if not exists DBT_DOWN_PACKAGE_CI;
create schema if not exists DBT_DOWN_PACKAGE_CI.RAW;
create schema if not exists DBT_DOWN_PACKAGE_CI.STAGING;
create schema if not exists DBT_DOWN_PACKAGE_CI.MARTS;
create database if not exists DBT_DOWN_PACKAGE_DEV;
create schema if not exists DBT_DOWN_PACKAGE_DEV.RAW;
create schema if not exists DBT_DOWN_PACKAGE_DEV.STAGING;
create schema if not exists DBT_DOWN_PACKAGE_DEV.MARTS;

use role ACCOUNTADMIN;
alter schema DBT_DOWN_PACKAGE_PROD.RAW enable managed access;
alter schema DBT_DOWN_PACKAGE_PROD.STAGING enable managed access;
alter schema DBT_DOWN_PACKAGE_PROD.MARTS enable managed access;
alter database DBT_DOWN_PACKAGE_PROD set tag
    MESH_GOVERNANCE.TAGS.MESH_PROJECT = 'dbt_down_package',
    MESH_GOVERNANCE.TAGS.MESH_ENVIRONMENT = 'prod';
alter schema DBT_DOWN_PACKAGE_CI.RAW enable managed access;
alter schema DBT_DOWN_PACKAGE_CI.STAGING enable managed access;
alter schema DBT_DOWN_PACKAGE_CI.MARTS enable managed access;
alter database DBT_DOWN_PACKAGE_CI set tag
    MESH_GOVERNANCE.TAGS.MESH_PROJECT = 'dbt_down_package',
    MESH_GOVERNANCE.TAGS.MESH_ENVIRONMENT = 'ci';
alter schema DBT_DOWN_PACKAGE_DEV.RAW enable managed access;
alter schema DBT_DOWN_PACKAGE_DEV.STAGING enable managed access;
alter schema DBT_DOWN_PACKAGE_DEV.MARTS enable managed access;
alter database DBT_DOWN_PACKAGE_DEV set tag
    MESH_GOVERNANCE.TAGS.MESH_PROJECT = 'dbt_down_package',
    MESH_GOVERNANCE.TAGS.MESH_ENVIRONMENT = 'dev';
