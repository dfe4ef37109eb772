"""How public models are built in, a warning about those that lose the grants of their readers at every build out.

CREATE OR REPLACE drops every grant but OWNERSHIP unless it says COPY GRANTS, which dbt-snowflake writes for tables,
incremental models on their full refresh, views and dynamic tables where the config has `copy_grants: true`.
"""

from collections.abc import Iterable
from typing import Final

from registry_tools.mesh.keeping import Keeping
from registry_tools.mesh.observation import Observation

RULE: Final = "copy-grants"
_REPLACED: Final = frozenset({"table", "incremental", "view", "dynamic_table"})
_SHOWN: Final = 5


def lost_grants(models: Iterable[Keeping]) -> tuple[Observation, ...]:
    """One warning that names the models; none where all keep their grants."""
    losing = [each.label for each in models if each.materialized in _REPLACED and not each.copies]
    if not losing:
        return ()
    more = f" and {len(losing) - _SHOWN} more" if len(losing) > _SHOWN else ""
    verb = "loses its" if len(losing) == 1 else "lose their"
    return (
        Observation(
            area="grants",
            check=RULE,
            verdict="warning",
            what=f"{', '.join(losing[:_SHOWN])}{more} {verb} readers' grants at every build",
            then="add +copy_grants: true below models: in dbt_project.yml and build again",
        ),
    )
