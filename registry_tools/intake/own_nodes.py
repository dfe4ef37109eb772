"""A manifest in, what is built and tested from its SQL out, in the order in which one reads the other."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from registry_tools.intake.manifest import Manifest
from registry_tools.mesh.public_model import DependsOn, Value
from registry_tools.mesh.relation import fold

_KINDS: Final = ("model.", "snapshot.", "seed.", "test.", "analysis.", "operation.")
# Tests of dbt that look at the column below which they stand, and at nothing else.
OWN_TESTS: Final = ("not_null", "unique", "accepted_values")
# A column as people write it.
NAME: Final = re.compile(r"""[A-Za-z_][\w$]*|"[^"]+"|`[^`]+`""")
_LARGEST: Final = 8 << 20  # bytes of a file of compiled SQL
# Where a config names columns of what the node itself gives.
_NAMING: Final = (
    *("unique_key", "check_cols", "updated_at", "event_time", "cluster_by", "partition_by"),
    *("merge_update_columns", "merge_exclude_columns"),
)


class TestMetadata(Value, frozen=True, gc=False):
    """Which test a generic test is: one of a package has a namespace."""

    name: str
    namespace: str | None = None


class _Contract(Value, frozen=True, gc=False):
    enforced: bool | None = False


class Described(Value, frozen=True, gc=False):
    """A column as it is described: its name, and whether that stands in quotes."""

    name: str
    quote: bool | None = None

    def stored(self, adapter: str) -> str:
        """The name as the warehouse has it."""
        return self.name if self.quote else fold(self.name, adapter)


class _Deferred(Value, frozen=True, gc=False):
    relation_name: str | None = None


class _Cte(Value, frozen=True, gc=False):
    sql: str | None = None


class OwnNode(Value, frozen=True):
    """What is asked of a node that this project builds, or of one of its tests."""

    name: str
    package_name: str
    version: str | int | float | None = None
    language: str | None = None
    original_file_path: str | None = None
    relation_name: str | None = None
    defer_relation: _Deferred | None = None
    raw_code: str | None = None
    compiled_code: str | None = None
    compiled_path: str | None = None
    extra_ctes: tuple[_Cte, ...] = ()
    columns: dict[str, Described] = msgspec.field(default_factory=dict)
    config: dict[str, Any] | None = None
    access: str | None = None
    depends_on: DependsOn = DependsOn()
    refs: tuple[Any, ...] = ()
    column_name: str | None = None
    attached_node: str | None = None
    test_metadata: TestMetadata | None = None

    def setting(self, name: str) -> Any:  # noqa: ANN401  # a config is whatever a person wrote
        """What its config says; None where it says nothing."""
        return (self.config or {}).get(name)

    @property
    def is_ephemeral(self) -> bool:
        """Whether it is no table, and stands in the SQL of those that read it."""
        return bool(self.setting("materialized") == "ephemeral")

    @property
    def is_public(self) -> bool:
        """Whether other projects may read it."""
        return (self.access or self.setting("access")) == "public" and not self.is_ephemeral

    @property
    def is_held(self) -> bool:
        """Whether dbt holds its columns against a contract when it builds it."""
        contract = self.setting("contract")
        return bool(isinstance(contract, dict) and contract.get("enforced") and self.columns)

    @property
    def label(self) -> str:
        """The name a reader knows, as mesh.public_model.PublicModel has it."""
        return self.name if self.version is None else f"{self.name}.v{self.version}"

    @property
    def relations(self) -> tuple[str, ...]:
        """The names under which others read it: its own, and with dbt's --defer that of another environment."""
        deferred = self.defer_relation.relation_name if self.defer_relation else None
        return tuple(name for name in (self.relation_name, deferred) if name)

    @property
    def tested_column(self) -> str | None:
        """The one column that one of dbt's own tests looks at, as it is written; None of any other node.

        A condition names others, and so may an expression in place of a column.
        """
        test, column = self.test_metadata, self.column_name
        told = test is not None and not test.namespace and test.name in OWN_TESTS and not self.setting("where")
        alone = len(self.depends_on.nodes) == 1 and column and NAME.fullmatch(column)
        return column if told and alone else None

    @property
    def named_in_config(self) -> Iterator[str]:
        """The texts of its config that name columns which it gives; an expression is a text as well."""
        waiting = [self.setting(name) for name in _NAMING] if self.config else []
        while waiting:
            match waiting.pop():
                case str(text):
                    yield text
                case list() as entries:
                    waiting.extend(entries)
                case dict() as entries:
                    waiting.extend(entries.values())

    def sql(self, folder: Path | None) -> str | None:
        """The SQL that dbt sent, from the manifest or from the file that it names below `folder`; None for neither."""
        if self.compiled_code or not self.compiled_path or folder is None:
            return self.compiled_code or None
        return text_within(folder, self.compiled_path) or None


def text_within(folder: Path, path: str) -> str:
    """A file of a project as text; none of what is not there, leads out of it, is no text, or far too large."""
    try:
        file = (folder / path).resolve()
        inside = file.is_relative_to(folder.resolve()) and file.stat().st_size <= _LARGEST
        return file.read_text(encoding="utf-8") if inside else ""
    except (OSError, ValueError, RuntimeError):  # a circle of links is a RuntimeError
        return ""


def read_own_nodes(manifest: Manifest, others: Iterable[str]) -> dict[str, OwnNode]:
    """What this project builds, its packages with it, and what it tests; `others` are what it does not build."""
    left_out = frozenset(others)
    found = manifest.stated_entries(manifest.nodes, _KINDS, OwnNode)
    return {unique_id: node for unique_id, node in sorted(found) if unique_id not in left_out}


def in_order(nodes: Iterable[str], parents: Mapping[str, tuple[str, ...]]) -> Iterator[list[str]]:
    """The nodes in steps, sorted, none before those that it reads. Of a circle, which dbt refuses, all come last."""
    waiting = set(nodes)
    unread = {node: {parent for parent in parents.get(node, ()) if parent in waiting} - {node} for node in waiting}
    readers: dict[str, list[str]] = {}
    for node, before in unread.items():
        for parent in before:
            readers.setdefault(parent, []).append(node)
    step = sorted(node for node, before in unread.items() if not before)
    while step:
        yield step
        waiting.difference_update(step)
        following = set()
        for parent in step:
            for node in readers.get(parent, ()):
                unread[node].discard(parent)
                if not unread[node]:
                    following.add(node)
        step = sorted(following)
    if waiting:
        yield sorted(waiting)


def reachable(starts: Iterable[str], links: Mapping[str, Iterable[str]]) -> set[str]:
    """Everything that links lead to from `starts`, with them."""
    waiting = list(starts)
    found = set(waiting)
    while waiting:
        for node in links.get(waiting.pop(), ()):
            if node not in found:
                found.add(node)
                waiting.append(node)
    return found
