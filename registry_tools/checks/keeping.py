"""How public models are built in, a warning about those that lose their readers' grants when they are replaced out.

CREATE OR REPLACE drops every grant but OWNERSHIP unless it says COPY GRANTS, which dbt-snowflake writes for tables,
incremental models on their full refresh, views and dynamic tables where the config has `copy_grants: true`. It never
does for Python models (py_write_table, dbt-adapters issue 1249) and for interactive tables, which know no such clause.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from registry_tools.mesh.keeping import Keeping
from registry_tools.mesh.observation import Observation

RULE: Final = "copy-grants"
_REPLACED: Final = frozenset({"table", "incremental", "view", "dynamic_table"})
_NEVER_COPIED: Final = "interactive_table"
_SHOWN: Final = 5
_SET: Final = "add +copy_grants: true below models: in dbt_project.yml and build again"
_GRANT: Final = "run mesh grants apply behind every build: dbt has no setting that keeps them"


def lost_grants(models: Iterable[Keeping]) -> tuple[Observation, ...]:
    """A warning that names the models that the setting helps, and one that names those that it does not."""
    careless, helpless = [], []
    for each in models:
        if _is_helpless(each):
            helpless.append(each.label)
        elif each.materialized in _REPLACED and not each.copies:
            careless.append(each.label)
    return (*_lost(careless, _SET), *_lost(helpless, _GRANT))


def _is_helpless(model: Keeping) -> bool:
    return model.materialized == _NEVER_COPIED or (model.language == "python" and model.materialized in _REPLACED)


def _lost(labels: list[str], then: str) -> Iterator[Observation]:
    if labels:
        more = f" and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else ""
        verb, them = ("loses its", "it") if len(labels) == 1 else ("lose their", "them")
        what = f"{', '.join(labels[:_SHOWN])}{more} {verb} readers' grants whenever dbt replaces {them}"
        yield Observation(area="grants", check=RULE, verdict="warning", what=what, then=then)
