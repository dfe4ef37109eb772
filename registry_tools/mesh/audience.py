"""Who may read a public model: `meta.mesh.consumers` of the model in, the projects and groups that it admits out.

dbt's own `access` knows everybody or nobody (dbt-core issue 9340); this is the list in between.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from registry_tools.mesh import names


@dataclass(frozen=True, kw_only=True, slots=True)
class Audience:
    """`dbt_down` admits the whole project, `dbt_finance.ledger_group` the nodes of that group alone."""

    projects: frozenset[str] = frozenset()
    groups: frozenset[tuple[str, str]] = frozenset()

    def admits(self, project: str) -> bool:
        """Whether the project gets the model, for all of its nodes or for some."""
        return self.groups_of(project) != frozenset()

    def groups_of(self, project: str) -> frozenset[str] | None:
        """The groups of the project whose nodes may read the model; None where all of its nodes may."""
        if project in self.projects:
            return None
        return frozenset(group for name, group in self.groups if name == project)


def audience_of(meta: Mapping[str, Any]) -> Audience | None:
    """The audience that `meta: {mesh: {consumers: [...]}}` names; None, everybody, where nothing is said.

    An empty list is nobody. Raises ValueError or UsageError for what is no list of projects and `project.group`: a
    list that is not understood must not let everybody in.
    """
    mesh = meta.get("mesh")
    if not isinstance(mesh, Mapping) or "consumers" not in mesh:
        return None
    stated = mesh["consumers"]
    if not isinstance(stated, list | tuple) or not all(isinstance(entry, str) for entry in stated):
        raise ValueError("meta.mesh.consumers is not a list of projects, such as [dbt_down, dbt_finance.ledger_group]")
    projects, groups = set(), set()
    for entry in stated:
        project, dot, group = entry.partition(".")
        names.project_name(project, where="meta.mesh.consumers")
        if dot:
            groups.add((project, names.model_name(group, where="meta.mesh.consumers")))
        else:
            projects.add(project)
    return Audience(projects=frozenset(projects), groups=frozenset(groups))


def replacement_of(meta: Mapping[str, Any]) -> str | None:
    """The model that `meta: {mesh: {replaced_by: public_orders_2}}` names for the day on which this one is gone.

    Raises ValueError or UsageError for what is no model's name.
    """
    mesh = meta.get("mesh")
    stated = mesh.get("replaced_by") if isinstance(mesh, Mapping) else None
    match stated:
        case None:
            return None
        case str(name):
            return names.model_name(name, where="meta.mesh.replaced_by")
        case _:
            raise ValueError("meta.mesh.replaced_by is not a model's name")
