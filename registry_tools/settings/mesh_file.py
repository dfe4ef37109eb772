"""mesh.yml and the environment's variables in, the mesh that it describes out."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

from registry_tools.checks.modes import Modes
from registry_tools.intake.documents import read_yaml
from registry_tools.mesh import names
from registry_tools.mesh.relation_map import ANY
from registry_tools.mesh.upstream import ENVIRONMENT, WAYS, Upstream
from registry_tools.mesh.verdict import MODES, REACHES, UNKNOWNS, Mode, Reach, Unknown
from registry_tools.registry.s3_options import ENCRYPTIONS, S3Options
from registry_tools.settings.document import Document, joined
from registry_tools.settings.platform_file import PROJECT_KEYS, PlatformReader
from registry_tools.settings.values import FILE, Compatibility, Mesh, Project

READERS: Final = ("named", "veiled")
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
_PROJECT_KEYS: Final = ("path", "owner", "compatibility", "readers", "upstreams", *PROJECT_KEYS)
_MESH_KEYS: Final = ("version", "registry", "environments", "compatibility", "snowflake", "aws", "github", "projects")


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


class _Reader(Document):
    """Walks the document and says where it is wrong: `mesh.yml: 'projects.dbt_up.owner' ...`."""

    def __init__(self, path: Path, environment: Mapping[str, str]) -> None:
        super().__init__(path, environment)
        self._platform = PlatformReader(path, environment)

    def mesh(self, document: dict[str, Any]) -> Mesh:
        self.known(document, "", _MESH_KEYS)
        if document.get("version") != 1 or document["version"] is True:
            self.fail("'version' is not 1", "write version: 1 at the top")
        registry, options = self._registry(document)
        everywhere = self._compatibility(document, "", Compatibility())
        return Mesh(
            file=self._path,
            registry=self._beside(registry) if registry else None,
            s3=options,
            reads=self._reads(self.mapping(document, "environments", "")),
            projects={
                name: self._project(name, entry, everywhere)
                for name, entry in self.mapping(document, "projects", "").items()
            },
            compatibility=everywhere,
            platform=self._platform.whole(document),
        )

    def _registry(self, document: dict[str, Any]) -> tuple[str | None, S3Options]:
        """The root alone, or a mapping with the root and how its bucket is reached."""
        if not isinstance(document.get("registry"), dict):
            return self.text(document, "registry", ""), S3Options()
        place, settings = "registry", self.mapping(document, "registry", "")
        self.known(settings, place, ("root", *_S3_OPTIONS))
        kms_key = self.matching(settings, "kms_key", place, _KMS_KEY, "write the key's id, ARN or alias/name")
        sse = self.choice(settings, "sse", place, ENCRYPTIONS, default="") or None
        if kms_key and sse == "AES256":
            self.fail("'registry.kms_key' and 'registry.sse: AES256' exclude each other", "leave one of them out")
        return self.text(settings, "root", place), S3Options(
            endpoint=self.matching(settings, "endpoint", place, _ENDPOINT, "write https://host or https://host:port"),
            region=self.matching(settings, "region", place, _REGION, "write it as AWS does: eu-central-1"),
            path_style=self.flag(settings, "path_style", place),
            kms_key=kms_key,
            sse=sse,
            connect_timeout=self.seconds(settings, "connect_timeout", place, S3Options().connect_timeout),
            read_timeout=self.seconds(settings, "read_timeout", place, S3Options().read_timeout),
        )

    def _reads(self, environments: dict[str, Any]) -> dict[str, tuple[str, ...]]:
        found = {}
        for name, entry in environments.items():
            place = f"environments.{names.environment_name(name, where=str(self._path))}"
            settings = self.entry(entry, place)
            self.known(settings, place, ("reads",))
            found[name] = self._environments(settings, "reads", place)
        return found

    def _environments(self, settings: dict[str, Any], key: str, place: str) -> tuple[str, ...]:
        """One environment, or a list of them in the order in which they are tried."""
        written, above, place = settings.get(key), place, joined(place, key)
        if written is None:
            return ()
        if written == []:
            self.fail(f"'{place}' is an empty list", "name the environment to read, or leave it out")
        several = isinstance(written, list)
        listed = {f"{key}[{at}]": entry for at, entry in enumerate(written)} if several else {key: written}
        texts = [self.text(listed, at, above) for at in listed]
        found = [names.environment_name(text or "", where=f"{self._path}: {place}") for text in texts]
        for twice in (name for position, name in enumerate(found) if name in found[:position]):
            self.fail(f"'{place}' names {twice} twice", "name each environment once, the first to be read first")
        return tuple(found)

    def _project(self, name: str, entry: Any, everywhere: Compatibility) -> Project:  # noqa: ANN401  # what a person wrote
        place = f"projects.{names.project_name(name, where=str(self._path))}"
        settings = self.entry(entry, place)
        self.known(settings, place, _PROJECT_KEYS)
        upstreams = self.mapping(settings, "upstreams", place)
        return Project(
            name=name,
            path=self._path.parent / (self.text(settings, "path", place) or name),
            owner=self.texts(settings, "owner", place, ("team", "contact")),
            platform=self._platform.project(settings, place),
            compatibility=self._compatibility(settings, place, everywhere),
            readers=self.choice(settings, "readers", place, READERS, default="named"),
            upstreams=tuple(self._upstream(n, e, f"{place}.upstreams.{n}") for n, e in upstreams.items()),
        )

    def _compatibility(self, settings: dict[str, Any], place: str, above: Compatibility) -> Compatibility:
        """A mode alone, or a mapping; what it does not say is as the mesh has it, which stands at the top."""
        key, at_top = "compatibility", not place
        alone = not isinstance(settings.get(key), dict)
        mode = self._mode(settings, key, place) if alone else None
        told, place = {} if alone else settings[key], joined(place, key)
        self.known(told, place, ("mode", "groups", "models", "reach", "unknown"))
        mode = mode or self._mode(told, "mode", place)
        return Compatibility(
            modes=Modes(
                default=mode or "consumers" if at_top else above.modes.default,
                project=None if at_top else mode,
                groups=self._modes(told, "groups", place),
                models=self._modes(told, "models", place),
            ),
            reach=cast("Reach", self.choice(told, "reach", place, REACHES, default=above.reach)),
            unknown=cast("Unknown", self.choice(told, "unknown", place, UNKNOWNS, default=above.unknown)),
        )

    def _modes(self, settings: dict[str, Any], key: str, place: str) -> dict[str, Mode]:
        entries, place = self.mapping(settings, key, place), joined(place, key)
        return {name: mode for name in entries if (mode := self._mode(entries, name, place))}

    def _mode(self, settings: dict[str, Any], key: str, place: str) -> Mode | None:
        """A mode; YAML 1.1 reads a bare `off` as false."""
        written = {key: "off"} if settings.get(key) is False else settings
        return cast("Mode | None", self.choice(written, key, place, MODES, default="") or None)

    def _upstream(self, name: str, entry: Any, place: str) -> Upstream:  # noqa: ANN401  # what a person wrote
        names.project_name(name, where=f"{self._path}: {place}")
        settings = self.entry(entry, place)
        self.known(settings, place, _UPSTREAM_KEYS)
        return Upstream(
            name=name,
            way=self.choice(settings, "as", place, WAYS, default="sources"),
            environments=self._environments(settings, "environment", place),
            tests=self.flag(settings, "tests", place),
            databases=self._rules(settings, "databases", place),
            schemas=self._rules(settings, "schemas", place),
            included=self._patterns(settings, "included", place),
            excluded=self._patterns(settings, "excluded", place),
            used_only=self.flag(settings, "used_only", place),
        )

    def _patterns(self, settings: dict[str, Any], key: str, place: str) -> tuple[str, ...]:
        """Names of models, each with one `*` at the most."""
        written = settings.get(key, [])
        if not isinstance(written, list):
            self.fail(f"'{joined(place, key)}' is {written!r}, not a list", f"write {key}: [{written}]")
        listed = {f"{key}[{at}]": entry for at, entry in enumerate(written)}
        found = tuple(self.text(listed, at, place) or "" for at in listed)
        for at, pattern in zip(listed, found, strict=True):
            if pattern.count(ANY) > 1 or not pattern:
                self.fail(f"'{joined(place, at)}' is {pattern!r}, not a name or a pattern", "write one * in it")
        return found

    def _rules(self, settings: dict[str, Any], key: str, place: str) -> dict[str, str]:
        """Names of upstream and names here, each pair a literal one or a pattern with one `*` on both sides."""
        rules = self.texts(settings, key, place)
        for rule, target in rules.items():
            at = f"'{place}.{key}.{rule}'"
            if (rule.count(ANY), target.count(ANY)) not in ((0, 0), (1, 1)):
                self.fail(f"{at} is {target!r}, which is no pattern of its kind", "write one * on both sides, or none")
            for written in (rule, target):
                if not _RELATION_PART.fullmatch(written.replace(ANY, "x").replace(ENVIRONMENT, "x")):
                    self.fail(f"{at}: {written!r} is not a name", "write it as the warehouse stores it, without quotes")
        return rules

    def _beside(self, registry: str) -> str:
        """A directory in mesh.yml is meant from where mesh.yml stands, whichever folder the command runs in."""
        return registry if "://" in registry else str(self._path.parent / registry)
