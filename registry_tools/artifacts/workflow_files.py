"""A deployment in, the workflow of each of its projects out: what GitHub builds, checks and publishes upon which event.

They call the reusable workflows that stand beside them; nothing of theirs is said here twice. A project of another
repository gets none: `$/` would be that repository there. examples/workflows has one to copy.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from registry_tools.artifacts.files import RENDERED, GeneratedFile
from registry_tools.errors import UsageError
from registry_tools.mesh.deployment import DEVELOPMENT, DeployedProject, Deployment, Place

FOLDER: Final = Path(".github/workflows")
# Workflows of ours whose names a project might have; all others have a hyphen, which no project's name has.
_TAKEN: Final = ("ci", "drift", "publish", "release", "setup")
# What a path filter takes for itself and nothing else, and YAML and an expression for a word.
_PLAIN: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_./:-]*")
_NO_WORDS: Final = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null"])

# Nothing runs before somebody has set the account up and said which it is.
_SET_UP: Final = "vars.SNOWFLAKE_ACCOUNT != ''"
# Without a bucket in mesh.yml the registry might be a folder, which is gone when the job has ended.
_SOMEWHERE: Final = "vars.DBT_MESH_REGISTRY != ''"
_READS: Final = ("contents: read", "id-token: write")
# Named one by one: a project's own secrets are those of its environment, which the job below takes instead.
_KEYS: Final = ("SNOWFLAKE_PRIVATE_KEY", "SNOWFLAKE_KEY_PASSPHRASE")
_NEWS: Final = ("DBT_MESH_WEBHOOK", "DBT_MESH_WEBHOOK_SECRET")
_APP: Final = "MESH_APP_KEY"


def workflows(deployment: Deployment) -> tuple[GeneratedFile, ...]:
    """`.github/workflows/<project>.yml` for every project of this repository; none where mesh.yml names no repository.

    Raises UsageError for a folder that no path filter could name.
    """
    own = [p for p in deployment.projects if deployment.repository and p.repository == deployment.repository]
    return tuple(
        GeneratedFile(path=FOLDER / file_name(project.name), content=_workflow(deployment, project, turn).encode())
        for turn, project in enumerate(own)
    )


def file_name(project: str) -> str:
    """Its workflow's file: by its name, unless one of ours has that name."""
    return f"project-{project}.yml" if project.lower() in _TAKEN else f"{project}.yml"


def _workflow(deployment: Deployment, project: DeployedProject, turn: int) -> str:
    lasting = [place for place in project.places if place.lasting]
    passing = [place for place in project.places if not place.lasting and place.environment != DEVELOPMENT]
    nightly, weekly = f"{turn * 7 % 60} 4 * * *", f"{turn * 7 % 60} 5 * * 1"
    calls = _Calls(deployment, project)
    jobs: list[str] = []
    for place in lasting:
        jobs += calls.impact(place)
    for place in passing:
        jobs += calls.build(place)
    for place in lasting:
        jobs += calls.publish(place)
    for place in lasting:
        jobs += calls.drift(place, nightly)
    for place in passing:
        jobs += () if place.readers else calls.prune(place, nightly)
    for place in lasting[:1] if project.upstreams else ():
        jobs += calls.upgrade(place, passing, weekly)
    head = (
        f"# {RENDERED} from mesh.yml. Change that, and run mesh render.",
        f"name: {_scalar(project.name)}",
        "",
        *_events(project, deployment.branch, nightly, weekly),
        "",
        "permissions: {}",
        "",
        "jobs:",
    )
    return "\n".join((*head, *jobs[:-1], ""))


def _events(project: DeployedProject, branch: str, nightly: str, weekly: str) -> Iterator[str]:
    folder = _folder(project)
    paths = ["**"] if folder == "." else [f"{folder}/**", "mesh.yml"]  # mesh.lock stands in the folder
    filtered = ["    paths:", *(f"      - {json.dumps(path)}" for path in paths)]
    yield from ("on:", "  pull_request:", *filtered, "  push:", f"    branches: [{_scalar(branch)}]", *filtered)
    if project.upstreams:
        yield "  repository_dispatch: # an upstream in another repository was published"
        yield "    types: [mesh-published]"
    yield "  schedule:"
    yield f'    - cron: "{nightly}"'
    if project.upstreams:
        yield f'    - cron: "{weekly}"'
    yield from (
        "  workflow_dispatch:",
        "    inputs:",
        "      chain:",
        "        description: What was built before this one because of one another, as /dbt_up/dbt_down/",
        "        type: string",
        '        default: ""',
    )
    if project.upstreams:
        yield from (
            "      environment:",
            "        description: In which environment an upstream was published; without one, all are built",
            "        type: string",
            '        default: ""',
        )


class _Calls:
    """The jobs of one project: each calls a reusable workflow, and ends in an empty line."""

    def __init__(self, deployment: Deployment, project: DeployedProject) -> None:
        self._deployment = deployment
        self._project = project
        key_pair = deployment.snowflake.identity == "key_pair"
        self._keys = _KEYS if key_pair else ()
        self._set_up = _SET_UP if deployment.aws else f"{_SET_UP} && {_SOMEWHERE}"

    def impact(self, place: Place) -> Iterator[str]:
        """A pull request: whom it would break in this environment."""
        aws = self._deployment.aws
        yield from _call(
            f"impact-{place.environment}",
            "pr-impact",
            f"{self._set_up} && github.event_name == 'pull_request'",
            (*_READS, "pull-requests: write"),
            {**self._which(place), **self._registry(aws.pull_request_role_arn if aws else None)},
        )

    def build(self, place: Place) -> Iterator[str]:
        """A pull request: what it changes, built where nobody reads.

        Whoever may push a branch acts as the project's role then, so somebody has to have wanted it.
        """
        yield from _call(
            f"build-{place.environment}",
            "sync-and-build",
            f"{self._set_up} && vars.MESH_BUILD_IN_CI == 'true' && github.event_name == 'pull_request'",
            _READS,
            {**self._which(place), **self._where(place), **self._registry(None), **self._login(place)},
            self._keys,
        )

    def publish(self, place: Place) -> Iterator[str]:
        """What is merged, what a person starts, and what an upstream's news start."""
        own = [self._deployment.project(name) for name in self._project.consumers]
        repository = self._deployment.repository
        consumers = " ".join(file_name(other.name) for other in own if other and other.repository == repository)
        # A mesh in which two projects read each other would start itself for ever.
        chain = "inputs.chain || github.event.client_payload.chain"
        conditions = [
            self._set_up,
            f"github.ref == 'refs/heads/{self._deployment.branch}'",
            "github.event_name != 'schedule'",
            f"!contains({chain}, '/{self._project.name}/')",
        ]
        if self._project.upstreams:
            read = json.dumps(list(self._project.upstreams))
            concerned = f"contains(fromJSON('{read}'), github.event.client_payload.project)"
            conditions.append(f"(github.event_name != 'repository_dispatch' || {concerned})")
            told = f"inputs.environment || github.event.client_payload.environment || '{place.reads[0]}'"
            conditions.append(f"contains(fromJSON('{json.dumps(list(place.reads))}'), {told})")
        yield from _call(
            f"publish-{place.environment}",
            "publish",
            "\n".join((conditions[0], *(f"      && {condition}" for condition in conditions[1:]))),
            (*_READS, "actions: write"),
            {
                **self._which(place),
                **self._where(place),
                **self._registry(self._role()),
                **self._login(place),
                "consumers": consumers,
                "chain": f"${{{{ {chain} }}}}",
            },
            (*self._keys, *_NEWS, _APP),
        )

    def drift(self, place: Place, nightly: str) -> Iterator[str]:
        """Every night: whether what stands is what was agreed upon."""
        yield from _call(
            f"drift-{place.environment}",
            "drift",
            f"{self._set_up} && github.event.schedule == '{nightly}'",
            _READS,
            {**self._which(place), **self._where(place), **self._registry(self._role()), **self._login(place)},
            (*self._keys, *_NEWS),
        )

    def prune(self, place: Place, nightly: str) -> Iterator[str]:
        """Every night, where pull requests are built: what they left behind is dropped."""
        yield from _call(
            f"prune-{place.environment}",
            "prune-schemas",
            f"{self._set_up} && vars.MESH_BUILD_IN_CI == 'true' && github.event.schedule == '{nightly}'",
            _READS,
            {**self._which(place, deps=False), **self._where(place), **self._region(), **self._login(place)},
            self._keys,
        )

    def upgrade(self, place: Place, passing: Sequence[Place], weekly: str) -> Iterator[str]:
        """Every week: a pull request that moves mesh.lock; built beforehand where the same role may build."""
        alike = next((other.environment for other in passing if other.role == place.role), "")
        yield from _call(
            "upgrade",
            "upgrade-upstreams",
            f"{self._set_up} && github.event.schedule == '{weekly}'",
            ("contents: write", "id-token: write", "pull-requests: write"),
            {
                **self._which(place),
                "target": alike,
                **self._where(place),
                **self._registry(self._role()),
                **self._login(place),
            },
            (*self._keys, _APP),
        )

    def _which(self, place: Place, *, deps: bool = True) -> dict[str, str]:
        needed = {"deps": "true"} if deps and self._project.needs_deps else {}
        return {
            "project": self._project.name,
            "folder": _folder(self._project),
            "environment": place.environment,
            **needed,
        }

    def _where(self, place: Place) -> dict[str, str]:
        return {"github-environment": self._project.github_environment(place.environment)}

    def _registry(self, role: str | None) -> dict[str, str]:
        aws = self._deployment.aws
        if aws is None:
            return {}
        return {"registry": f"s3://{aws.bucket}/{aws.prefix}", **self._region(), "aws-role": role or ""}

    def _region(self) -> dict[str, str]:
        aws = self._deployment.aws
        return {"aws-region": aws.region} if aws else {}

    def _role(self) -> str | None:
        return self._deployment.aws.role_arn(self._project.name) if self._deployment.aws else None

    def _login(self, place: Place) -> dict[str, str]:
        named = {"authenticator": "snowflake_jwt", "user": place.user} if self._keys else {}
        return {**named, "role": place.role}


def _call(
    name: str,
    workflow: str,
    condition: str,
    permissions: Sequence[str],
    inputs: Mapping[str, str],
    secrets: Sequence[str] = (),
) -> Iterator[str]:
    """The lines of one job. Inputs that are empty are left to what the workflow takes instead."""
    yield f"  {name}:"
    lines = condition.split("\n")
    yield from ("    if: >-", f"      {lines[0]}", *lines[1:]) if lines[1:] else (f"    if: {condition}",)
    yield from ("    permissions:", *(f"      {permission}" for permission in permissions))
    yield f"    uses: $/.github/workflows/{workflow}.yml"
    yield "    with:"
    yield from (f"      {key}: {_scalar(value, key)}" for key, value in inputs.items() if value)
    if secrets:
        yield "    secrets:"
        yield from (f"      {secret}: ${{{{ secrets.{secret} }}}}" for secret in secrets)
    yield ""


def _scalar(text: str, key: str = "") -> str:
    """The text as YAML reads it back; a switch of the workflow's is no text."""
    bare = _WORD.fullmatch(text) and text.lower() not in _NO_WORDS
    return text if bare or key == "deps" or text.startswith("${{") else json.dumps(text)


def _folder(project: DeployedProject) -> str:
    if project.folder == "." or _PLAIN.fullmatch(project.folder):
        return project.folder
    what = f"{project.name} stands in {project.folder!r}, which no path filter of a workflow could name"
    then = "use a folder of this repository with letters, digits, '_', '-' and '.', or set projects.<name>.repository"
    raise UsageError(what, where=f"mesh.yml: projects.{project.name}.path", then=then)
