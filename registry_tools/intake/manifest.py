"""A dbt manifest's bytes in, its parts undecoded out: a node costs nothing until somebody asks for it.

msgspec goes over the document once, with a glance at every node; the few that matter are decoded afterwards, because
nine tenths of a manifest are private models, tests and macros that nobody publishes.
"""

import codecs
import gc
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Raw

from registry_tools.errors import DocumentError
from registry_tools.intake.documents import read_bytes
from registry_tools.intake.glance import Glance, Survey, survey
from registry_tools.mesh.public_model import DependsOn, Value

OLDEST_SCHEMA: Final = 9  # dbt 1.5, the first with model access
_SCHEMA: Final = re.compile(r"https://schemas\.getdbt\.com/dbt/manifest/v(\d+)(?:\.json)?")
_REMEDY: Final = "run dbt build (or dbt parse) in the project, then try again"

_PIECE: Final = 1 << 20
_NEVER: Final = datetime(2000, 1, 1, tzinfo=UTC)

T = TypeVar("T")


class Metadata(Value, frozen=True):
    """What a manifest says of itself."""

    dbt_schema_version: str
    project_name: str | None = None
    adapter_type: str | None = None
    generated_at: str | None = None
    dbt_version: str | None = None


class _Sections(Value, frozen=True):
    metadata: Metadata
    sources: dict[str, Raw] = msgspec.field(default_factory=dict)
    groups: dict[str, Raw] = msgspec.field(default_factory=dict)
    exposures: dict[str, Raw] = msgspec.field(default_factory=dict)
    unit_tests: dict[str, Raw] = msgspec.field(default_factory=dict)
    semantic_models: dict[str, Raw] = msgspec.field(default_factory=dict)
    metrics: dict[str, Raw] = msgspec.field(default_factory=dict)
    saved_queries: dict[str, Raw] = msgspec.field(default_factory=dict)


class _AtAGlance(_Sections, frozen=True, kw_only=True):
    nodes: dict[str, Glance]


class _Undecoded(_Sections, frozen=True, kw_only=True):
    nodes: dict[str, Raw]


class _Links(Value, frozen=True):
    depends_on: DependsOn = DependsOn()


class _NodesOnly(Value, frozen=True):
    nodes: dict[str, Raw]


class _MetadataOnly(Value, frozen=True):
    metadata: Metadata


_GLANCE: Final = msgspec.json.Decoder(_AtAGlance)
_FIRST_LEVEL: Final = msgspec.json.Decoder(_Undecoded)
_NODES: Final = msgspec.json.Decoder(_NodesOnly)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Manifest:
    """One manifest.json, checked to be one, its nodes still as bytes."""

    path: Path
    raw: bytes
    project: str
    adapter: str
    dbt_version: str
    generated_at: datetime
    node_ids: tuple[str, ...]
    sources: dict[str, Raw]
    groups: dict[str, Raw]
    exposures: dict[str, Raw]
    unit_tests: dict[str, Raw]
    semantic_models: dict[str, Raw]
    metrics: dict[str, Raw]
    saved_queries: dict[str, Raw]
    surveyed: Survey | None

    @cached_property
    def nodes(self) -> dict[str, Raw]:
        """All nodes, undecoded: gone for when somebody asks for more than the survey tells."""
        with collector_off():
            return _NODES.decode(self.raw).nodes

    @cached_property
    def survey(self) -> Survey:
        """What the nodes come to at a glance. Raises DocumentError naming the own model or the test that is wrong."""
        if self.surveyed is not None:
            return self.surveyed
        asked = (f"model.{self.project}.", "test.")
        glances = dict(self.entries(self.nodes, asked, Glance))
        return survey(glances, self.project)

    def parents_of(self, unique_id: str) -> tuple[str, ...]:
        """What a node reads; nothing when there is no such node, as of a source."""
        if self.surveyed is None and unique_id not in self.survey.parents and unique_id in self.nodes:
            return self.decode(self.nodes[unique_id], _Links, unique_id).depends_on.nodes
        return self.survey.parents.get(unique_id, ())

    def own_public(self, kind: type[T]) -> Iterator[tuple[str, T]]:
        """The own public models decoded as `kind`, without a second look at all the other nodes where possible."""
        from registry_tools.intake.places import values_around

        public = self.survey.public
        found = values_around(self.raw, public) if self.surveyed is not None else None
        for unique_id in public:
            raw = self.nodes[unique_id] if found is None else found[unique_id]
            yield unique_id, self.decode(self._stated(raw, unique_id) if self.is_of_v2 else raw, kind, unique_id)

    def _stated(self, raw: Raw | memoryview, unique_id: str) -> Raw:
        """The entry without its nulls and those of its config, which dbt v2 writes where nobody wrote anything."""
        entry = {key: value for key, value in self.decode(raw, dict, unique_id).items() if value is not None}
        if isinstance(config := entry.get("config"), dict):
            entry["config"] = {key: value for key, value in config.items() if value is not None}
        return Raw(msgspec.json.encode(entry))

    @cached_property
    def sha256(self) -> str:
        """The file's digest, computed when somebody publishes it."""
        import hashlib

        return hashlib.sha256(self.raw).hexdigest()

    @property
    def is_of_v2(self) -> bool:
        """Whether the engine that is written in Rust made it."""
        return self.dbt_version.startswith("2.")

    @property
    def publication_id(self) -> str:
        """The id under which this manifest is published: publishing the same file twice is one publication."""
        return self._id(self.sha256)

    @property
    def usage_id(self) -> str:
        """The id under which its usage is published without its interface: another publication of the same file."""
        import hashlib

        return self._id(hashlib.sha256(f"{self.sha256} usage".encode()).hexdigest())

    def _id(self, digest: str) -> str:
        return f"{self.generated_at:%Y%m%dT%H%M%SZ}-{digest[:12]}"

    def decode(self, raw: Raw | memoryview, kind: type[T], unique_id: str) -> T:
        """One entry as `kind`. Raises DocumentError naming the entry and the field that is wrong."""
        try:
            return msgspec.json.decode(raw, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise DocumentError(f"{unique_id}: {error}", where=str(self.path), then=_REMEDY) from None

    def entries(self, section: dict[str, Raw], prefixes: tuple[str, ...], kind: type[T]) -> Iterator[tuple[str, T]]:
        """The entries of a section whose unique_ids begin with one of `prefixes`, decoded as `kind`."""
        for unique_id, raw in section.items():
            if unique_id.startswith(prefixes):
                yield unique_id, self.decode(raw, kind, unique_id)

    def stated_entries(
        self, section: dict[str, Raw], prefixes: tuple[str, ...], kind: type[T]
    ) -> Iterator[tuple[str, T]]:
        """The same of any dbt, as one that writes nothing where nobody wrote anything has them."""
        for unique_id, raw in section.items():
            if unique_id.startswith(prefixes):
                stated = self._stated(raw, unique_id) if self.is_of_v2 else raw
                yield unique_id, self.decode(stated, kind, unique_id)


def read_manifest(path: Path) -> Manifest:
    """The manifest at `path`.

    Raises DocumentError when it is missing, empty, cut off, not a manifest, or of a dbt too old to have public models.
    """
    return as_manifest(read_bytes(path, noun="the dbt manifest", then=_REMEDY), path)


def as_manifest(raw: bytes, path: Path) -> Manifest:
    """The manifest that these bytes are; `path` is how people find them. Raises DocumentError as read_manifest does."""
    with collector_off():
        top = _first_level(path, raw)
        metadata = top.metadata
        project = metadata.project_name or _guess_project(top.nodes)
        if project is None:
            raise DocumentError("metadata.project_name is missing", where=str(path), then=_REMEDY)
        return Manifest(
            path=path,
            raw=raw,
            project=project,
            adapter=metadata.adapter_type or "",
            dbt_version=metadata.dbt_version or "",
            generated_at=_time(path, metadata.generated_at),
            node_ids=tuple(top.nodes),
            sources=top.sources,
            groups=top.groups,
            exposures=top.exposures,
            unit_tests=top.unit_tests,
            semantic_models=top.semantic_models,
            metrics=top.metrics,
            saved_queries=top.saved_queries,
            surveyed=survey(top.nodes, project) if isinstance(top, _AtAGlance) else None,
        )


@contextmanager
def collector_off() -> Iterator[None]:
    """Decode without the cyclic garbage collector: two thirds of the time go into it, and JSON has no cycles.

    What was made meanwhile is old at once, so that the collector does not go over it as soon as it is on again.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.freeze()
            gc.unfreeze()  # which puts it among the oldest
            gc.enable()


def _first_level(path: Path, raw: bytes) -> _AtAGlance | _Undecoded:
    try:
        _expect_text(raw)  # what stays undecoded inside is text as well
        top = _at_a_glance(raw) or _FIRST_LEVEL.decode(raw)
    except msgspec.ValidationError as error:
        _expect_schema(path, _metadata_alone(path, raw))  # of another dbt, or of no dbt at all: that is said first
        raise DocumentError(f"no dbt manifest: {error}", where=str(path), then=_REMEDY) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DocumentError(f"not JSON, or cut off: {error}", where=_place(path, raw, error), then=_REMEDY) from None
    _expect_schema(path, top.metadata)
    return top


def _at_a_glance(raw: bytes) -> _AtAGlance | None:
    """None for whatever is not as dbt writes it: entry by entry it is found out what that is, and whether we ask."""
    try:
        return _GLANCE.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _expect_text(raw: bytes) -> None:
    """Raise UnicodeDecodeError for bytes that are no UTF-8; a piece at a time, as a copy would double the memory."""
    view, at = memoryview(raw), 0
    try:
        while at < len(raw):
            _, taken = codecs.utf_8_decode(view[at : at + _PIECE], "strict", at + _PIECE >= len(raw))
            at += taken  # a character that goes over the piece's end is left to the next
    except UnicodeDecodeError:
        raw.decode()  # raises again, with the place in the whole


def _metadata_alone(path: Path, raw: bytes) -> Metadata:
    try:
        return msgspec.json.decode(raw, type=_MetadataOnly).metadata
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise DocumentError("this JSON is no dbt manifest", where=str(path), then=_REMEDY) from None


def _expect_schema(path: Path, metadata: Metadata) -> None:
    found = _SCHEMA.fullmatch(metadata.dbt_schema_version)
    if not found:
        raise DocumentError(
            f"its schema is {metadata.dbt_schema_version!r}, not a manifest's", where=str(path), then=_REMEDY
        )
    if int(found[1]) < OLDEST_SCHEMA:
        raise DocumentError(
            f"manifest schema v{found[1]} has no public models; v{OLDEST_SCHEMA} and newer have",
            where=str(path),
            then="update to dbt-core 1.5 or newer and build again",
        )


def _place(path: Path, raw: bytes, error: Exception) -> str:
    """`path:line:column` of the byte that msgspec or the codec stumbled over."""
    found = re.search(r"\(byte (\d+)\)", str(error))
    at = int(found[1]) if found else getattr(error, "start", len(raw))
    line, column = raw.count(b"\n", 0, at) + 1, at - raw.rfind(b"\n", 0, at)
    return f"{path}:{line}:{column}"


def _guess_project(node_ids: Iterable[str]) -> str | None:
    # dbt 1.5 leaves project_name out of the metadata; every macro and node carries its package.
    packages = {key.split(".", 2)[1] for key in node_ids if key.count(".") >= 2}  # noqa: PLR2004
    return packages.pop() if len(packages) == 1 else None


def _time(path: Path, text: str | None) -> datetime:
    try:
        moment = datetime.fromisoformat(text or "")
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        moment = _NEVER
    if moment <= _NEVER:  # an id needs four digits of a year, and no dbt is older
        raise DocumentError(f"metadata.generated_at is {text!r}, not a time", where=str(path), then=_REMEDY)
    return moment


def as_mapping(manifest: Manifest, raw: Raw, unique_id: str) -> dict[str, Any]:
    """One entry as a plain mapping, for what has to be passed on whole."""
    return manifest.decode(raw, dict, unique_id)


def posix(path: str) -> str:
    """A file of a project as git and GitHub write it: on Windows, dbt writes it otherwise."""
    return path.replace("\\", "/")
