"""The environment of a CI job, or the git checkout, in; who publishes out: an allow-list, never a person."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from registry_tools.mesh.publication import Actor

# Actor's field -> the variable, for each CI system; a system is recognised by its repository's variable.
_SYSTEMS: Final = (
    {"repository": "GITHUB_REPOSITORY", "ref": "GITHUB_REF", "commit": "GITHUB_SHA", "run": "GITHUB_RUN_ID"},
    {"repository": "CI_PROJECT_PATH", "ref": "CI_COMMIT_REF_NAME", "commit": "CI_COMMIT_SHA", "run": "CI_PIPELINE_ID"},
)
_GIT_SECONDS: Final = 5


def identify_actor(environment: Mapping[str, str], folder: Path) -> Actor:
    """Who publishes: the CI job that runs us, else the commit and branch of the checkout, else nobody known."""
    for system in _SYSTEMS:
        if environment.get(system["repository"]):
            return Actor(**{field: environment.get(variable) for field, variable in system.items()})
    return Actor(
        repository=_repository(_git(folder, "config", "--get", "remote.origin.url")),
        ref=_git(folder, "symbolic-ref", "--quiet", "HEAD"),
        commit=_git(folder, "rev-parse", "--verify", "--quiet", "HEAD"),
    )


def _repository(url: str | None) -> str | None:
    """`owner/name` of a remote's URL; whatever else it holds (a token, a user, a local path) is left out."""
    found = re.search(
        r"^(?:(?:https?|ssh|git)://(?:[^/@]+@)?[\w.-]+(?::\d+)?/|[\w.-]+@[\w.-]+:)([\w.-]+/[\w.-]+?)(?:\.git)?/?$",
        url or "",
    )
    return found[1] if found else None


def _git(folder: Path, *words: str) -> str | None:
    try:
        run = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, timeout=_GIT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None  # git is not needed to publish; the record then says that nobody is known
    return run.stdout.strip() or None if run.returncode == 0 else None
