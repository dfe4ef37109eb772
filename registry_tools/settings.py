"""mesh.yml, the environment and flags in, one set of settings out: flags beat variables beat mesh.yml beat defaults."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn, cast

from registry_tools.checks.modes import Modes
from registry_tools.errors import DocumentError, UsageError
from registry_tools.intake.documents import read_yaml
from registry_tools.mesh import names
from registry_tools.mesh.relation_map import ANY
from registry_tools.mesh.upstream import ENVIRONMENT, WAYS, Upstream
from registry_tools.mesh.verdict import MODES, REACHES, UNKNOWNS, Mode, Reach, Unknown
from registry_tools.registry.s3_options import ENCRYPTIONS, S3Options

FILE: Final = "mesh.yml"
READERS: Final = ("named", "veiled")
LOCAL_REGISTRY: Final = ".mesh/registry"
PRODUCTION: Final = "prod"
_BUILT_APART: Final = ("dev", "ci")  # where nobody publishes for others
_VARIABLE: Final = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")
_S3_OPTIONS: Final = ("endpoint", "region", "path_style", "kms_key", "sse", "connect_timeout", "read_timeout")
_ENDPOINT: Final = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::\d{1,5})?(?:/[\w./-]*)?")
_REGION: Final = re.compile(r"[a-z0-9-]+")
_KMS_KEY: Final = re.compile(r"[A-Za-z0-9:/_-]+")
# A name that needs no dot and no quotes to be told from what is around it; BigQuery's projects have '-'.
_RELATION_PART: Final = re.compile(r"[^\W\d][\w$-]{0,254}")
_UPSTREAM_KEYS: Final = (
    *("as", "environment", "tests", "databases", "schemas"),
    *("included", "excluded", "used_only"),
)
_PROJECT_KEYS: Final = ("path", "owner", "snowflake", "compatibility", "readers", "upstreams")
_LONGEST_SECONDS: Final = 3600


@dataclass(frozen=True, kw_only=True, slots=True)
class Compatibility:
    """What stops a change of a project's interface: the mode of each model (checks.decision), whose pins count, and
    whether a change passes of which nobody knows what it does.
    """

    modes: Modes = field(default_factory=Modes)
    reach: Reach = "current"
    unknown: Unknown = "refuse"


@dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    """One project of the mesh."""

    name: str
    path: Path
    owner: Mapping[str, str] = field(default_factory=dict)
    snowflake: Mapping[str, str] = field(default_factory=dict)
    compatibility: Compatibility = field(default_factory=Compatibility)
    readers: str = "named"
    upstreams: tuple[Upstream, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Mesh:
    """mesh.yml as read, or what stands for it where there is none."""

    file: Path | None
    registry: str | None = None
    s3: S3Options = field(default_factory=S3Options)
    reads: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    projects: Mapping[str, Project] = field(default_factory=dict)
    compatibility: Compatibility = field(default_factory=Compatibility)

    @property
    def owners(self) -> dict[str, Mapping[str, str]]:
        """Whom to talk to (team, contact), by project, as far as it says so."""
        return {name: project.owner for name, project in self.projects.items() if project.owner}


@dataclass(frozen=True, kw_only=True, slots=True)
class Flags:
    """Where to find the registry, as typed on the command line."""

    registry: str | None = None
    bucket: str | None = None
    local: bool = False


def find_mesh(start: Path, environment: Mapping[str, str]) -> Mesh:
    """The mesh that `start` belongs to: mesh.yml there or in a folder above; an empty mesh when there is none."""
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / FILE).is_file():
            return read_mesh(folder / FILE, environment)
    return Mesh(file=None)


def read_mesh(path: Path, environment: Mapping[str, str]) -> Mesh:
    """mesh.yml, checked. Raises DocumentError naming the key that is wrong and the nearest one that is known."""
    document = read_yaml(path, noun="the mesh's description", then="see `mesh.yml` in the README")
    return _Reader(path, environment).mesh(document)


def registry_root(flags: Flags, mesh: Mesh, environment: Mapping[str, str], folder: Path) -> str:
    """The registry's root, from the strongest place that names one. Raises UsageError when none or two flags do."""
    for flag, value in (("--registry", flags.registry), ("--bucket", flags.bucket)):
        if value == "":
            raise UsageError(f"{flag} is empty", then=f"set the variable that was meant, or leave {flag} out")
    typed = [root for root in (flags.registry, flags.bucket and f"s3://{flags.bucket}/registry") if root]
    if flags.local:
        home = mesh.file.parent if mesh.file else _checkout(folder)
        typed.append(str(home / LOCAL_REGISTRY))
    if len(typed) > 1:
        raise UsageError("--registry, --bucket and --local name different registries", then="use one of the three")
    bucket = environment.get("DBT_MESH_BUCKET")
    from_environment = environment.get("DBT_MESH_REGISTRY") or (f"s3://{bucket}/registry" if bucket else None)
    root = typed[0] if typed else from_environment or mesh.registry
    if not root:
        raise UsageError(
            "no registry is named",
            then="add --bucket NAME (or --registry s3://bucket/prefix, or --local), or set DBT_MESH_BUCKET",
        )
    return root


def environments_to_read(mesh: Mesh, environment: str) -> tuple[str, ...]:
    """The environments of its upstreams that a consumer in `environment` reads: the first in which one has published.

    It is what mesh.yml says; without that, `dev` and `ci` read what is in production, and any other reads the same.
    """
    return mesh.reads.get(environment) or ((PRODUCTION,) if environment in _BUILT_APART else (environment,))


def upstreams_to_sync(mesh: Mesh, project: str, asked: tuple[str, ...]) -> tuple[Upstream, ...]:
    """The upstreams named on the command line, as mesh.yml describes them if it does; without any, all declared."""
    declared = (
        {upstream.name: upstream for upstream in mesh.projects[project].upstreams} if project in mesh.projects else {}
    )
    if not asked:
        return tuple(declared.values())
    return tuple(declared.get(name) or Upstream(name=names.project_name(name, where="--upstream")) for name in asked)


def _checkout(folder: Path) -> Path:
    """The git checkout that `folder` is in, so that projects side by side share one local registry; else `folder`."""
    return next((above for above in (folder, *folder.parents) if (above / ".git").exists()), folder)


class _Reader:
    """Walks the document and says where it is wrong: `mesh.yml: 'projects.dbt_up.owner' ...`."""

    def __init__(self, path: Path, environment: Mapping[str, str]) -> None:
        self._path = path
        self._environment = environment

    def mesh(self, document: dict[str, Any]) -> Mesh:
        self._known(document, "", ("version", "registry", "environments", "compatibility", "projects"))
        if document.get("version") != 1 or document["version"] is True:
            self._fail("'version' is not 1", "write version: 1 at the top")
        registry, options = self._registry(document)
        everywhere = self._compatibility(document, "", Compatibility())
        return Mesh(
            file=self._path,
            registry=self._beside(registry) if registry else None,
            s3=options,
            reads=self._reads(self._mapping(document, "environments", "")),
            projects={
                name: self._project(name, entry, everywhere)
                for name, entry in self._mapping(document, "projects", "").items()
            },
            compatibility=everywhere,
        )

    def _registry(self, document: dict[str, Any]) -> tuple[str | None, S3Options]:
        """The root alone, or a mapping with the root and how its bucket is reached."""
        if not isinstance(document.get("registry"), dict):
            return self._text(document, "registry", ""), S3Options()
        place, settings = "registry", self._mapping(document, "registry", "")
        self._known(settings, place, ("root", *_S3_OPTIONS))
        kms_key = self._matching(settings, "kms_key", place, _KMS_KEY, "write the key's id, ARN or alias/name")
        sse = self._choice(settings, "sse", place, ENCRYPTIONS, default="") or None
        if kms_key and sse == "AES256":
            self._fail("'registry.kms_key' and 'registry.sse: AES256' exclude each other", "leave one of them out")
        return self._text(settings, "root", place), S3Options(
            endpoint=self._matching(settings, "endpoint", place, _ENDPOINT, "write https://host or https://host:port"),
            region=self._matching(settings, "region", place, _REGION, "write it as AWS does: eu-central-1"),
            path_style=self._flag(settings, "path_style", place),
            kms_key=kms_key,
            sse=sse,
            connect_timeout=self._seconds(settings, "connect_timeout", place, S3Options().connect_timeout),
            read_timeout=self._seconds(settings, "read_timeout", place, S3Options().read_timeout),
        )

    def _reads(self, environments: dict[str, Any]) -> dict[str, tuple[str, ...]]:
        found = {}
        for name, entry in environments.items():
            place = f"environments.{names.environment_name(name, where=str(self._path))}"
            settings = self._entry(entry, place)
            self._known(settings, place, ("reads",))
            found[name] = self._environments(settings, "reads", place) or (name,)
        return found

    def _environments(self, settings: dict[str, Any], key: str, place: str) -> tuple[str, ...]:
        """One environment, or a list of them in the order in which they are tried."""
        written, above, place = settings.get(key), place, _joined(place, key)
        if written is None:
            return ()
        if written == []:
            self._fail(f"'{place}' is an empty list", "name the environment to read, or leave it out")
        several = isinstance(written, list)
        listed = {f"{key}[{at}]": entry for at, entry in enumerate(written)} if several else {key: written}
        texts = [self._text(listed, at, above) for at in listed]
        found = [names.environment_name(text or "", where=f"{self._path}: {place}") for text in texts]
        for twice in (name for position, name in enumerate(found) if name in found[:position]):
            self._fail(f"'{place}' names {twice} twice", "name each environment once, the first to be read first")
        return tuple(found)

    def _project(self, name: str, entry: Any, everywhere: Compatibility) -> Project:  # noqa: ANN401  # what a person wrote
        place = f"projects.{names.project_name(name, where=str(self._path))}"
        settings = self._entry(entry, place)
        self._known(settings, place, _PROJECT_KEYS)
        upstreams = self._mapping(settings, "upstreams", place)
        return Project(
            name=name,
            path=self._path.parent / (self._text(settings, "path", place) or name),
            owner=self._texts(settings, "owner", place, ("team", "contact")),
            snowflake=self._texts(settings, "snowflake", place, ("database", "warehouse", "role")),
            compatibility=self._compatibility(settings, place, everywhere),
            readers=self._choice(settings, "readers", place, READERS, default="named"),
            upstreams=tuple(self._upstream(n, e, f"{place}.upstreams.{n}") for n, e in upstreams.items()),
        )

    def _compatibility(self, settings: dict[str, Any], place: str, above: Compatibility) -> Compatibility:
        """A mode alone, or a mapping; what it does not say is as the mesh has it, which stands at the top."""
        key, at_top = "compatibility", not place
        alone = not isinstance(settings.get(key), dict)
        mode = self._mode(settings, key, place) if alone else None
        told, place = {} if alone else settings[key], _joined(place, key)
        self._known(told, place, ("mode", "groups", "models", "reach", "unknown"))
        mode = mode or self._mode(told, "mode", place)
        return Compatibility(
            modes=Modes(
                default=mode or "consumers" if at_top else above.modes.default,
                project=None if at_top else mode,
                groups=self._modes(told, "groups", place),
                models=self._modes(told, "models", place),
            ),
            reach=cast("Reach", self._choice(told, "reach", place, REACHES, default=above.reach)),
            unknown=cast("Unknown", self._choice(told, "unknown", place, UNKNOWNS, default=above.unknown)),
        )

    def _modes(self, settings: dict[str, Any], key: str, place: str) -> dict[str, Mode]:
        entries, place = self._mapping(settings, key, place), _joined(place, key)
        return {name: mode for name in entries if (mode := self._mode(entries, name, place))}

    def _mode(self, settings: dict[str, Any], key: str, place: str) -> Mode | None:
        """A mode; YAML 1.1 reads a bare `off` as false."""
        written = {key: "off"} if settings.get(key) is False else settings
        return cast("Mode | None", self._choice(written, key, place, MODES, default="") or None)

    def _upstream(self, name: str, entry: Any, place: str) -> Upstream:  # noqa: ANN401  # what a person wrote
        names.project_name(name, where=f"{self._path}: {place}")
        settings = self._entry(entry, place)
        self._known(settings, place, _UPSTREAM_KEYS)
        return Upstream(
            name=name,
            way=self._choice(settings, "as", place, WAYS, default="sources"),
            environments=self._environments(settings, "environment", place),
            tests=self._flag(settings, "tests", place),
            databases=self._rules(settings, "databases", place),
            schemas=self._rules(settings, "schemas", place),
            included=self._patterns(settings, "included", place),
            excluded=self._patterns(settings, "excluded", place),
            used_only=self._flag(settings, "used_only", place),
        )

    def _patterns(self, settings: dict[str, Any], key: str, place: str) -> tuple[str, ...]:
        """Names of models, each with one `*` at the most."""
        written = settings.get(key, [])
        if not isinstance(written, list):
            self._fail(f"'{_joined(place, key)}' is {written!r}, not a list", f"write {key}: [{written}]")
        listed = {f"{key}[{at}]": entry for at, entry in enumerate(written)}
        found = tuple(self._text(listed, at, place) or "" for at in listed)
        for at, pattern in zip(listed, found, strict=True):
            if pattern.count(ANY) > 1 or not pattern:
                self._fail(f"'{_joined(place, at)}' is {pattern!r}, not a name or a pattern", "write one * in it")
        return found

    def _rules(self, settings: dict[str, Any], key: str, place: str) -> dict[str, str]:
        """Names of upstream and names here, each pair a literal one or a pattern with one `*` on both sides."""
        rules = self._texts(settings, key, place)
        for rule, target in rules.items():
            at = f"'{place}.{key}.{rule}'"
            if (rule.count(ANY), target.count(ANY)) not in ((0, 0), (1, 1)):
                self._fail(f"{at} is {target!r}, which is no pattern of its kind", "write one * on both sides, or none")
            for written in (rule, target):
                if not _RELATION_PART.fullmatch(written.replace(ANY, "x").replace(ENVIRONMENT, "x")):
                    self._fail(
                        f"{at}: {written!r} is not a name", "write it as the warehouse stores it, without quotes"
                    )
        return rules

    def _known(self, settings: dict[str, Any], place: str, known: tuple[str, ...]) -> None:
        for key in settings:
            if key not in known:
                near = difflib.get_close_matches(str(key), known, n=1)
                advice = f"did you mean '{near[0]}'?" if near else f"known here: {', '.join(known)}"
                self._fail(f"unknown key '{_joined(place, str(key))}'", advice)

    def _entry(self, entry: Any, place: str) -> dict[str, Any]:  # noqa: ANN401  # what a person wrote
        if entry is None:
            return {}
        if not isinstance(entry, dict):
            self._fail(f"'{place}' is not a mapping", f"write {place.rsplit('.', 1)[-1]}: {{...}}")
        return entry

    def _mapping(self, settings: dict[str, Any], key: str, place: str) -> dict[str, Any]:
        entries = self._entry(settings.get(key), _joined(place, key))
        for name in entries:
            if not isinstance(name, str):
                self._fail(f"'{_joined(place, key)}' has the name {name!r}, which is not text", "put it in quotes")
        return entries

    def _text(self, settings: dict[str, Any], key: str, place: str) -> str | None:
        value = settings.get(key)
        if value is None:
            return None
        if not isinstance(value, str):
            self._fail(f"'{_joined(place, key)}' is {value!r}, not text", "put it in quotes")
        return _VARIABLE.sub(lambda found: self._variable(found, _joined(place, key)), value)

    def _texts(
        self, settings: dict[str, Any], key: str, place: str, known: tuple[str, ...] | None = None
    ) -> dict[str, str]:
        entries = self._mapping(settings, key, place)
        place = _joined(place, key)
        if known is not None:
            self._known(entries, place, known)
        return {name: self._text(entries, name, place) or "" for name in entries}

    def _choice(self, settings: dict[str, Any], key: str, place: str, choices: tuple[str, ...], *, default: str) -> str:
        value = self._text(settings, key, place)
        if value is not None and value not in choices:
            self._fail(f"'{_joined(place, key)}' is {value!r}", f"use one of {', '.join(choices)}")
        return value or default

    def _flag(self, settings: dict[str, Any], key: str, place: str) -> bool:
        value = settings.get(key, False)
        if not isinstance(value, bool):
            self._fail(f"'{_joined(place, key)}' is not true or false", f"write {key}: true")
        return value

    def _matching(
        self, settings: dict[str, Any], key: str, place: str, form: re.Pattern[str], advice: str
    ) -> str | None:
        """The text, if it has the form; a wrong one is not shown, because a password may stand in it."""
        value = self._text(settings, key, place) or None
        if value is not None and not form.fullmatch(value):
            self._fail(f"'{_joined(place, key)}' has not the form it should have", advice)
        return value

    def _seconds(self, settings: dict[str, Any], key: str, place: str, default: float) -> float:
        value = settings.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= _LONGEST_SECONDS:
            self._fail(f"'{_joined(place, key)}' is {value!r}, not a number of seconds", f"write {key}: {default:.0f}")
        return float(value)

    def _variable(self, found: re.Match[str], place: str) -> str:
        name, default = found.groups()
        value = self._environment.get(name) or default
        if value is None:
            self._fail(
                f"'{place}' needs the variable {name}, which is not set",
                f"export {name}=..., or write ${{{name}:-default}}",
            )
        return value

    def _beside(self, registry: str) -> str:
        """A directory in mesh.yml is meant from where mesh.yml stands, whichever folder the command runs in."""
        return registry if "://" in registry else str(self._path.parent / registry)

    def _fail(self, what: str, then: str) -> NoReturn:
        raise DocumentError(what, where=str(self._path), then=then)


def _joined(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key
