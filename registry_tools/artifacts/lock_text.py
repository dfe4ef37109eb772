"""A lock in, the text of mesh.lock out."""

from registry_tools.artifacts.files import MARK
from registry_tools.artifacts.yaml_text import yaml_text
from registry_tools.mesh.lock import Lock


def lock_text(lock: Lock) -> str:
    """mesh.lock as YAML: one upstream below the other, so that two branches that update two of them merge."""
    return (
        f"# {MARK}: which publication of each upstream this project was built against. Commit this file.\n"
        + yaml_text(lock.to_dict())
    )
