"""mesh.yml and flags in, the terms on which a project's interface may change out: flags beat mesh.yml beat defaults."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from registry_tools.assessment import Terms
from registry_tools.settings import Mesh


def terms_of(mesh: Mesh, options: Mapping[str, Any], project: str) -> Terms:
    """The terms for this project. A mode that is typed takes the place of the project's; those of groups and models
    stay, because they are stricter on purpose.
    """
    described = mesh.projects.get(project)
    standing = described.compatibility if described else mesh.compatibility
    modes = replace(standing.modes, project=options["mode"]) if options["mode"] else standing.modes
    return Terms(
        modes=modes,
        reach=options["reach"] or standing.reach,
        unknown=options["unknown"] or standing.unknown,
        owners=mesh.owners,
    )
