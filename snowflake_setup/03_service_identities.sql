-- Written by mesh render from mesh.yml. Change that, and run mesh render.
-- How service users prove who they are. No password is set anywhere, and nothing secret stands here.

use secondary roles none;

-- 1. MESH_GOVERNANCE.POLICIES.MESH_SERVICE
-- A service user logs in in one way and in no other, whatever else somebody may set for it.
use role SYSADMIN;
create or alter authentication policy MESH_GOVERNANCE.POLICIES.MESH_SERVICE
    authentication_methods = ('WORKLOAD_IDENTITY');

-- 2. dbt_up
-- Whoever has this AWS role is this user: GitHub's jobs of the project take it with their own tokens.
use role USERADMIN;
alter user DBT_UP_SVC set workload_identity = (type = aws arn = 'arn:aws:iam::123456789012:role/dbt-mesh-dbt-up');

use role ACCOUNTADMIN;
alter user DBT_UP_SVC set authentication policy MESH_GOVERNANCE.POLICIES.MESH_SERVICE force;

-- 3. dbt_down
-- Whoever has this AWS role is this user: GitHub's jobs of the project take it with their own tokens.
use role USERADMIN;
alter user DBT_DOWN_SVC set workload_identity = (type = aws arn = 'arn:aws:iam::123456789012:role/dbt-mesh-dbt-down');

use role ACCOUNTADMIN;
alter user DBT_DOWN_SVC set authentication policy MESH_GOVERNANCE.POLICIES.MESH_SERVICE force;

-- 4. dbt_down_loom
-- Whoever has this AWS role is this user: GitHub's jobs of the project take it with their own tokens.
use role USERADMIN;
alter user DBT_DOWN_LOOM_SVC set
    workload_identity = (type = aws arn = 'arn:aws:iam::123456789012:role/dbt-mesh-dbt-down-loom');

use role ACCOUNTADMIN;
alter user DBT_DOWN_LOOM_SVC set authentication policy MESH_GOVERNANCE.POLICIES.MESH_SERVICE force;

-- 5. dbt_down_package
-- Whoever has this AWS role is this user: GitHub's jobs of the project take it with their own tokens.
use role USERADMIN;
alter user DBT_DOWN_PACKAGE_SVC set
    workload_identity = (type = aws arn = 'arn:aws:iam::123456789012:role/dbt-mesh-dbt-down-package');

use role ACCOUNTADMIN;
alter user DBT_DOWN_PACKAGE_SVC set authentication policy MESH_GOVERNANCE.POLICIES.MESH_SERVICE force;
