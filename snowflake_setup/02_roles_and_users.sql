-- Written by mesh render from mesh.yml. Change that, and run mesh render.
-- One role a project, which owns its schemas, and a service user that has no other role.
-- Who may read a public model is not said here: mesh grants plans it from the published interface.

use secondary roles none;

-- 1. dbt_up
-- In prod the role creates no schema, so that nobody builds beside what others read.
use role USERADMIN;
create role if not exists DBT_UP_ROLE;
grant role DBT_UP_ROLE to role SYSADMIN;
create user if not exists DBT_UP_SVC type = SERVICE;
alter user DBT_UP_SVC set
    type = SERVICE
    default_role = DBT_UP_ROLE
    default_warehouse = DBT_UP_WH
    default_secondary_roles = ();
grant role DBT_UP_ROLE to user DBT_UP_SVC;

use role SYSADMIN;
grant usage on warehouse DBT_UP_WH to role DBT_UP_ROLE;
grant usage, create database role on database DBT_UP_PROD to role DBT_UP_ROLE;
grant ownership on schema DBT_UP_PROD.RAW to role DBT_UP_ROLE copy current grants;
grant ownership on schema DBT_UP_PROD.STAGING to role DBT_UP_ROLE copy current grants;
grant ownership on schema DBT_UP_PROD.MARTS to role DBT_UP_ROLE copy current grants;
create database role if not exists DBT_UP_PROD.MESH_PUBLIC_READER;
grant usage on database DBT_UP_PROD to database role DBT_UP_PROD.MESH_PUBLIC_READER;
grant ownership on database role DBT_UP_PROD.MESH_PUBLIC_READER to role DBT_UP_ROLE copy current grants;
grant usage, create schema on database DBT_UP_CI to role DBT_UP_ROLE;
grant ownership on schema DBT_UP_CI.RAW to role DBT_UP_ROLE copy current grants;
grant ownership on schema DBT_UP_CI.STAGING to role DBT_UP_ROLE copy current grants;
grant ownership on schema DBT_UP_CI.MARTS to role DBT_UP_ROLE copy current grants;
grant usage, create schema on database DBT_UP_DEV to role DBT_UP_ROLE;
grant ownership on schema DBT_UP_DEV.RAW to role DBT_UP_ROLE copy current grants;
grant ownership on schema DBT_UP_DEV.STAGING to role DBT_UP_ROLE copy current grants;
grant ownership on schema DBT_UP_DEV.MARTS to role DBT_UP_ROLE copy current grants;

-- 2. dbt_down
-- In prod the role creates no schema, so that nobody builds beside what others read.
use role USERADMIN;
create role if not exists DBT_DOWN_ROLE;
grant role DBT_DOWN_ROLE to role SYSADMIN;
create user if not exists DBT_DOWN_SVC type = SERVICE;
alter user DBT_DOWN_SVC set
    type = SERVICE
    default_role = DBT_DOWN_ROLE
    default_warehouse = DBT_DOWN_WH
    default_secondary_roles = ();
grant role DBT_DOWN_ROLE to user DBT_DOWN_SVC;

use role SYSADMIN;
grant usage on warehouse DBT_DOWN_WH to role DBT_DOWN_ROLE;
grant usage, create database role on database DBT_DOWN_PROD to role DBT_DOWN_ROLE;
grant ownership on schema DBT_DOWN_PROD.RAW to role DBT_DOWN_ROLE copy current grants;
grant ownership on schema DBT_DOWN_PROD.STAGING to role DBT_DOWN_ROLE copy current grants;
grant ownership on schema DBT_DOWN_PROD.MARTS to role DBT_DOWN_ROLE copy current grants;
create database role if not exists DBT_DOWN_PROD.MESH_PUBLIC_READER;
grant usage on database DBT_DOWN_PROD to database role DBT_DOWN_PROD.MESH_PUBLIC_READER;
grant ownership on database role DBT_DOWN_PROD.MESH_PUBLIC_READER to role DBT_DOWN_ROLE copy current grants;
grant usage, create schema on database DBT_DOWN_CI to role DBT_DOWN_ROLE;
grant ownership on schema DBT_DOWN_CI.RAW to role DBT_DOWN_ROLE copy current grants;
grant ownership on schema DBT_DOWN_CI.STAGING to role DBT_DOWN_ROLE copy current grants;
grant ownership on schema DBT_DOWN_CI.MARTS to role DBT_DOWN_ROLE copy current grants;
grant usage, create schema on database DBT_DOWN_DEV to role DBT_DOWN_ROLE;
grant ownership on schema DBT_DOWN_DEV.RAW to role DBT_DOWN_ROLE copy current grants;
grant ownership on schema DBT_DOWN_DEV.STAGING to role DBT_DOWN_ROLE copy current grants;
grant ownership on schema DBT_DOWN_DEV.MARTS to role DBT_DOWN_ROLE copy current grants;

-- 3. dbt_down_loom
-- In prod the role creates no schema, so that nobody builds beside what others read.
use role USERADMIN;
create role if not exists DBT_DOWN_LOOM_ROLE;
grant role DBT_DOWN_LOOM_ROLE to role SYSADMIN;
create user if not exists DBT_DOWN_LOOM_SVC type = SERVICE;
alter user DBT_DOWN_LOOM_SVC set
    type = SERVICE
    default_role = DBT_DOWN_LOOM_ROLE
    default_warehouse = DBT_DOWN_WH
    default_secondary_roles = ();
grant role DBT_DOWN_LOOM_ROLE to user DBT_DOWN_LOOM_SVC;

use role SYSADMIN;
grant usage on warehouse DBT_DOWN_WH to role DBT_DOWN_LOOM_ROLE;
grant usage, create database role on database DBT_DOWN_LOOM_PROD to role DBT_DOWN_LOOM_ROLE;
grant ownership on schema DBT_DOWN_LOOM_PROD.RAW to role DBT_DOWN_LOOM_ROLE copy current grants;
grant ownership on schema DBT_DOWN_LOOM_PROD.STAGING to role DBT_DOWN_LOOM_ROLE copy current grants;
grant ownership on schema DBT_DOWN_LOOM_PROD.MARTS to role DBT_DOWN_LOOM_ROLE copy current grants;
create database role if not exists DBT_DOWN_LOOM_PROD.MESH_PUBLIC_READER;
grant usage on database DBT_DOWN_LOOM_PROD to database role DBT_DOWN_LOOM_PROD.MESH_PUBLIC_READER;
grant ownership on database role DBT_DOWN_LOOM_PROD.MESH_PUBLIC_READER to role DBT_DOWN_LOOM_ROLE copy current grants;
grant usage, create schema on database DBT_DOWN_LOOM_CI to role DBT_DOWN_LOOM_ROLE;
grant ownership on schema DBT_DOWN_LOOM_CI.RAW to role DBT_DOWN_LOOM_ROLE copy current grants;
grant ownership on schema DBT_DOWN_LOOM_CI.STAGING to role DBT_DOWN_LOOM_ROLE copy current grants;
grant ownership on schema DBT_DOWN_LOOM_CI.MARTS to role DBT_DOWN_LOOM_ROLE copy current grants;
grant usage, create schema on database DBT_DOWN_LOOM_DEV to role DBT_DOWN_LOOM_ROLE;
grant ownership on schema DBT_DOWN_LOOM_DEV.RAW to role DBT_DOWN_LOOM_ROLE copy current grants;
grant ownership on schema DBT_DOWN_LOOM_DEV.STAGING to role DBT_DOWN_LOOM_ROLE copy current grants;
grant ownership on schema DBT_DOWN_LOOM_DEV.MARTS to role DBT_DOWN_LOOM_ROLE copy current grants;

-- 4. dbt_down_package
-- In prod the role creates no schema, so that nobody builds beside what others read.
use role USERADMIN;
create role if not exists DBT_DOWN_PACKAGE_ROLE;
grant role DBT_DOWN_PACKAGE_ROLE to role SYSADMIN;
create user if not exists DBT_DOWN_PACKAGE_SVC type = SERVICE;
alter user DBT_DOWN_PACKAGE_SVC set
    type = SERVICE
    default_role = DBT_DOWN_PACKAGE_ROLE
    default_warehouse = DBT_DOWN_WH
    default_secondary_roles = ();
grant role DBT_DOWN_PACKAGE_ROLE to user DBT_DOWN_PACKAGE_SVC;

use role SYSADMIN;
grant usage on warehouse DBT_DOWN_WH to role DBT_DOWN_PACKAGE_ROLE;
grant usage, create database role on database DBT_DOWN_PACKAGE_PROD to role DBT_DOWN_PACKAGE_ROLE;
grant ownership on schema DBT_DOWN_PACKAGE_PROD.RAW to role DBT_DOWN_PACKAGE_ROLE copy current grants;
grant ownership on schema DBT_DOWN_PACKAGE_PROD.STAGING to role DBT_DOWN_PACKAGE_ROLE copy current grants;
grant ownership on schema DBT_DOWN_PACKAGE_PROD.MARTS to role DBT_DOWN_PACKAGE_ROLE copy current grants;
create database role if not exists DBT_DOWN_PACKAGE_PROD.MESH_PUBLIC_READER;
grant usage on database DBT_DOWN_PACKAGE_PROD to database role DBT_DOWN_PACKAGE_PROD.MESH_PUBLIC_READER;
grant ownership on database role DBT_DOWN_PACKAGE_PROD.MESH_PUBLIC_READER
    to role DBT_DOWN_PACKAGE_ROLE copy current grants;
grant usage, create schema on database DBT_DOWN_PACKAGE_CI to role DBT_DOWN_PACKAGE_ROLE;
grant ownership on schema DBT_DOWN_PACKAGE_CI.RAW to role DBT_DOWN_PACKAGE_ROLE copy current grants;
grant ownership on schema DBT_DOWN_PACKAGE_CI.STAGING to role DBT_DOWN_PACKAGE_ROLE copy current grants;
grant ownership on schema DBT_DOWN_PACKAGE_CI.MARTS to role DBT_DOWN_PACKAGE_ROLE copy current grants;
grant usage, create schema on database DBT_DOWN_PACKAGE_DEV to role DBT_DOWN_PACKAGE_ROLE;
grant ownership on schema DBT_DOWN_PACKAGE_DEV.RAW to role DBT_DOWN_PACKAGE_ROLE copy current grants;
grant ownership on schema DBT_DOWN_PACKAGE_DEV.STAGING to role DBT_DOWN_PACKAGE_ROLE copy current grants;
grant ownership on schema DBT_DOWN_PACKAGE_DEV.MARTS to role DBT_DOWN_PACKAGE_ROLE copy current grants;

-- 5. Who reads whose public models
-- A consumer has nothing on another project's database but this role, which holds its public models.
use role SYSADMIN;
grant database role DBT_UP_PROD.MESH_PUBLIC_READER to role DBT_DOWN_ROLE;
grant database role DBT_UP_PROD.MESH_PUBLIC_READER to role DBT_DOWN_LOOM_ROLE;
grant database role DBT_UP_PROD.MESH_PUBLIC_READER to role DBT_DOWN_PACKAGE_ROLE;
