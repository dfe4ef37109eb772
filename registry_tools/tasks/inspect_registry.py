"""A registry in, every fault of it out, and whether it was mended."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from registry_tools.errors import UsageError
from registry_tools.mesh import names
from registry_tools.mesh.selector import Selector
from registry_tools.registry.inspection import Fault, inspect, repair
from registry_tools.registry.publications import Registry


@dataclass(frozen=True, kw_only=True, slots=True)
class Inspected:
    """One fault of one project's environment; `mended` says that it is put right."""

    project: str
    environment: str
    fault: Fault
    mended: bool = False


def inspect_registry(registry: Registry, chosen: Sequence[Selector], *, mend: bool) -> Iterator[Inspected]:
    """Every fault of each chosen environment, or of all. With `mend`, what has a copy is put right."""
    for project, environment in _places(registry, chosen):
        try:
            names.project_name(project)
            names.environment_name(environment)
        except UsageError as error:
            key = f"{project}/{environment}/"
            fault = Fault(rule="stranger", key=key, what=error.what, then="look who put it there, and remove it")
            yield Inspected(project=project, environment=environment, fault=fault)
            continue
        for fault in inspect(registry, project, environment):
            mended = mend and repair(registry, fault)
            yield Inspected(project=project, environment=environment, fault=fault, mended=mended)


def _places(registry: Registry, chosen: Sequence[Selector]) -> list[tuple[str, str]]:
    """Unlike what has published, also what has lost its log."""
    if chosen:
        return registry.places(chosen)
    projects = (name for name in registry.store.folders("") if not name.startswith("_"))
    return [(project, environment) for project in projects for environment in registry.store.folders(f"{project}/")]
