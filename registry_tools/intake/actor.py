"""The environment of a CI job, or the git checkout, in; who publishes out: an allow-list, never a person."""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from registry_tools.mesh.publication import Actor


@dataclass(frozen=True, kw_only=True, slots=True)
class _System:
    """One CI system: the variable that gives it away, and those that hold an actor's facts.

    With `tells_url` the repository's variable holds a remote's URL, of which only owner and name are told.
    """

    name: str
    mark: str
    repository: str
    ref: str
    commit: str
    run: str
    pipeline: str
    account: str | None = None
    tells_url: bool = False


# A variable whose value would name a host, a person or a machine is not among them: Jenkins' BUILD_URL and NODE_NAME,
# BUILDKITE_BUILD_CREATOR, GITLAB_USER_NAME and their kin.
_SYSTEMS: Final = (
    # https://docs.github.com/actions/reference/workflows-and-actions/variables
    _System(
        name="github",
        mark="GITHUB_ACTIONS",
        repository="GITHUB_REPOSITORY",
        ref="GITHUB_REF",
        commit="GITHUB_SHA",
        run="GITHUB_RUN_ID",
        pipeline="GITHUB_WORKFLOW_REF",
        account="GITHUB_ACTOR",
    ),
    # https://docs.gitlab.com/ci/variables/predefined_variables
    _System(
        name="gitlab",
        mark="GITLAB_CI",
        repository="CI_PROJECT_PATH",
        ref="CI_COMMIT_REF_NAME",
        commit="CI_COMMIT_SHA",
        run="CI_PIPELINE_ID",
        pipeline="CI_JOB_NAME",
        account="GITLAB_USER_LOGIN",
    ),
    # https://buildkite.com/docs/pipelines/configure/environment-variables
    _System(
        name="buildkite",
        mark="BUILDKITE",
        repository="BUILDKITE_REPO",
        ref="BUILDKITE_BRANCH",
        commit="BUILDKITE_COMMIT",
        run="BUILDKITE_BUILD_NUMBER",
        pipeline="BUILDKITE_PIPELINE_SLUG",
        tells_url=True,
    ),
    # https://www.jenkins.io/doc/book/pipeline/jenkinsfile and its git plugin
    _System(
        name="jenkins",
        mark="JENKINS_URL",
        repository="GIT_URL",
        ref="GIT_BRANCH",
        commit="GIT_COMMIT",
        run="BUILD_NUMBER",
        pipeline="JOB_NAME",
        tells_url=True,
    ),
)
_GIT_SECONDS: Final = 5
_LONGEST_URL: Final = 2048


def identify_actor(environment: Mapping[str, str], folder: Path) -> Actor:
    """Who publishes: the CI job that runs us, upon the commit and branch that it or the checkout tells.

    A system is believed when its mark and its run are there. What was built is told by the system alone, or, where it
    does not tell repository and commit both, by the checkout alone: a variable that is left over or half set never
    stands beside the truth of somebody else.
    """
    for system in _SYSTEMS:
        told = Actor.of(_job(system, environment))
        if environment.get(system.mark, "").lower() not in ("", "false", "0") and told.run:
            built = Actor.of(_built(system, environment))
            return _joined(told, built if built.repository and built.commit else _checkout(folder))
    return _checkout(folder)


def _job(system: _System, environment: Mapping[str, str]) -> dict[str, str | None]:
    return {
        "system": system.name,
        "run": environment.get(system.run),
        "pipeline": environment.get(system.pipeline),
        "account": environment.get(system.account) if system.account else None,
    }


def _built(system: _System, environment: Mapping[str, str]) -> dict[str, str | None]:
    repository = environment.get(system.repository)
    return {
        "repository": _repository(repository) if system.tells_url else repository,
        "ref": environment.get(system.ref),
        "commit": environment.get(system.commit),
    }


def _joined(job: Actor, built: Actor) -> Actor:
    return Actor(
        system=job.system,
        repository=built.repository,
        ref=built.ref,
        commit=built.commit,
        run=job.run,
        pipeline=job.pipeline,
        account=job.account,
    )


def _checkout(folder: Path) -> Actor:
    commit = _git(folder, "rev-parse", "--verify", "--quiet", "HEAD")
    if commit is None:
        return Actor()
    return Actor.of(
        {
            "system": "git",
            "repository": _repository(_git(folder, "config", "--get", "remote.origin.url")),
            "ref": _git(folder, "symbolic-ref", "--quiet", "HEAD"),
            "commit": commit,
        }
    )


def _repository(url: str | None) -> str | None:
    """`owner/name` of a remote's URL; whatever else it holds (a token, a user, a local path) is left out."""
    if url is None or len(url) > _LONGEST_URL:
        return None
    found = re.fullmatch(
        r"(?:(?:https?|ssh|git)://(?:[^/@]+@)?[\w.-]+(?::\d+)?/|[\w.-]+@[\w.-]+:)([\w.-]+/[\w.-]+?)(?:\.git)?/?",
        url,
        re.ASCII,
    )
    return found[1] if found else None


def _git(folder: Path, *words: str) -> str | None:
    try:
        run = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, timeout=_GIT_SECONDS, check=False
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None  # git is not needed to publish; the record then says that nobody is known
    return run.stdout.strip() or None if run.returncode == 0 else None
