"""A consumer's folder in, the places where its files refer to its upstreams out: file, line, and what is written there.

This is what people wrote, read without dbt: it is there before the first parse, also when a model that is gone makes
dbt refuse the project.
"""

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from registry_tools.intake.calls import Call, Way, calls_in_expression, calls_in_python, calls_in_template
from registry_tools.intake.documents import read_yaml
from registry_tools.intake.ignored import IgnoreRules, read_ignore_rules
from registry_tools.intake.project import FILE, ProjectFolder
from registry_tools.mesh.upstream import STUBS_FOLDER

# dbt's own defaults (https://docs.getdbt.com/reference/dbt_project.yml).
_PATHS: Final[Mapping[str, str]] = {
    "model-paths": "models",
    "test-paths": "tests",
    "snapshot-paths": "snapshots",
    "analysis-paths": "analyses",
    "macro-paths": "macros",
    "seed-paths": "seeds",
}
_NOT_OURS: Final = (STUBS_FOLDER, ".mesh")
_GENERATED: Final = re.compile(r"_mesh_[\w.-]+\.yml")
_HIDDEN: Final = ".#~"  # as dbt has it
_CALL: Final = re.compile(r"\b(ref|source)\s*\(")
_EXPRESSION: Final = re.compile(r"\s*(?:ref|source)\s*\(.*\)\s*", re.DOTALL)
_SNAPSHOT: Final = re.compile(r"\{%[-+]?\s*snapshot\s+(\w+)")
_SUFFIX_OF_VERSION: Final = re.compile(r"_v[^_]+$")
_PROSE: Final = frozenset({"description", "meta"})
_NAMED: Final = ("models", "snapshots", "seeds")
# The largest file that dbt's own parser is asked to read in practice is a hundredth of this.
_MAX_BYTES: Final = 8 << 20


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Reference:
    """One place that refers to an upstream, or may.

    `model` and `version` are as written: of a source, `model` is the table's name (`public_products_v2`); `version` is
    None where none is written. `upstream` is None for a `ref` that names a model alone and no model of this project,
    and where it is computed when dbt runs; `model` is None where it is computed. With `dynamic` a part is computed,
    so that this may be any model of the upstream, or of all of them, or any version.
    """

    path: str
    line: int
    way: Way
    upstream: str | None
    model: str | None
    version: str | None = None
    dynamic: bool = False

    @property
    def place(self) -> str:
        """`models/marts/a.sql:12`."""
        return f"{self.path}:{self.line}"

    def may_be(self, upstream: str, model: str) -> bool:
        """Whether it can mean this model (of a source: this table) of this upstream."""
        return self.upstream in (None, upstream) and self.model in (None, model)


def find_references(project: ProjectFolder, upstreams: Collection[str]) -> tuple[Reference, ...]:
    """Every place where a file of the project refers to one of `upstreams`, sorted by file and line.

    Read are models, tests, snapshots, analyses, macros and seeds with their YAML, and dbt_project.yml; left out is
    what dbt does not read: its target, installed packages, what .dbtignore names; and the files of mesh sync. A file
    that is not what its name says is left to dbt, which refuses it. Raises DocumentError for a dbt_project.yml that
    cannot be read.
    """
    if not upstreams:
        return ()
    files = dict(_files(project))
    texts = {path: _text(path) for path in files if path.suffix in _READERS}
    found = [(path, call, line) for path, text in texts.items() for call, line in _calls(path, text)]
    own = _OwnNames(project, upstreams, files, texts)
    described = frozenset(_described(texts, upstreams))
    references = (
        _reference(call, files[path], line, upstreams, own)
        for path, call, line in found
        if call.way == "ref" or call.arguments not in described
    )
    return tuple(sorted(set(filter(None, references)), key=_order))


def _order(reference: Reference) -> tuple[str, int, str, str, str]:
    return (reference.path, reference.line, reference.upstream or "", reference.model or "", reference.version or "")


# -- what a call means ------------------------------------------------------------------------------------------------


def _reference(call: Call, path: str, line: int, upstreams: Collection[str], own: "_OwnNames") -> Reference | None:
    upstream, model = _target(call)
    if upstream is not None and upstream not in upstreams:
        return None
    alone = call.way == "ref" and call.complete and len(call.arguments) == 1
    if alone and model is not None and own.has(model):
        return None
    dynamic = not call.complete or None in call.arguments or call.version is None
    return Reference(
        path=path,
        line=line,
        way=call.way,
        upstream=upstream,
        model=model,
        version=call.version or None,
        dynamic=dynamic,
    )


def _target(call: Call) -> tuple[str | None, str | None]:
    if not call.complete:
        return None, None
    match call.way, call.arguments:
        case _, (upstream, model):
            return upstream, model
        case "ref", (model,):
            return None, model
        case _:
            return "", None  # dbt refuses it


class _OwnNames:
    """The names that a `ref` without a project finds at home, looked for when the first such one is met."""

    def __init__(
        self, project: ProjectFolder, upstreams: Collection[str], files: Iterable[Path], texts: Mapping[Path, str]
    ) -> None:
        self._project = project
        self._upstreams = upstreams
        self._files = files
        self._texts = texts
        self._known: frozenset[str] | None = None

    def has(self, name: str) -> bool:
        """Whether this project, or a package that is installed in it, has a model, seed or snapshot of this name."""
        if self._known is None:
            self._known = frozenset((*self._own(), *self._installed()))
        return name in self._known

    def _own(self) -> Iterator[str]:
        for path in self._files:
            yield from _stems(path)
        for path, text in self._texts.items():
            if path.suffix == ".sql":
                yield from _SNAPSHOT.findall(text)
            elif "versions:" in text or "snapshots:" in text:
                yield from _names_in_yaml(text)

    def _installed(self) -> Iterator[str]:
        packages = self._project.installed
        for path in packages.glob("*/*/**/*.*"):
            if path.relative_to(packages).parts[0] not in self._upstreams:  # the stubs of mesh sync are no home
                yield from _stems(path)


def _stems(path: Path) -> Iterator[str]:
    if path.suffix in {".sql", ".py", ".csv"}:
        yield path.stem
        yield _SUFFIX_OF_VERSION.sub("", path.stem)


def _names_in_yaml(text: str) -> Iterator[str]:
    for entry in _entries(text, _NAMED):
        match entry:
            case {"name": str(name)}:
                yield name


def _described(texts: Mapping[Path, str], upstreams: Collection[str]) -> Iterator[tuple[str, str]]:
    """The tables that people describe in sources of their own which have an upstream's name: those are not upstream's
    public models, whatever they are.
    """
    for path, text in texts.items():
        if path.suffix == ".sql" or "sources:" not in text or not any(name in text for name in upstreams):
            continue
        for entry in _entries(text, ("sources",)):
            match entry:
                case {"name": str(source), "tables": [*tables]}:
                    names = (table.get("name") for table in tables if isinstance(table, dict))
                    yield from ((source, name) for name in names if isinstance(name, str))


def _entries(text: str, sections: Iterable[str]) -> Iterator[Any]:
    """What is listed below these keys at the top of a YAML file; nothing in what is not one."""
    import yaml

    try:
        document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  # both are safe
    except (yaml.YAMLError, RecursionError, ValueError):
        return
    for section in sections:
        entries = document.get(section) if isinstance(document, dict) else None
        yield from entries if isinstance(entries, list) else ()


# -- the files --------------------------------------------------------------------------------------------------------


def _files(project: ProjectFolder) -> Iterator[tuple[Path, str]]:
    """Each file that dbt reads, with its path relative to the project; each once, also where two paths overlap."""
    document = read_yaml(project.path / FILE, noun="a dbt project", then="correct dbt_project.yml", unique=False)
    yield project.path / FILE, FILE
    rules = read_ignore_rules(project.path)
    others = (project.target, project.installed, *(project.path / name for name in _NOT_OURS))
    left_out = {os.path.realpath(folder) for folder in others}
    seen: set[str] = set()
    for key, default in _PATHS.items():
        for root in _strings(document.get(key, [default])):
            yield from _below(project.path, os.path.normpath(project.path / root), rules, left_out, seen)


def _strings(paths: Any) -> list[str]:  # noqa: ANN401  # what a person wrote
    return [path for path in paths if isinstance(path, str)] if isinstance(paths, list) else []


def _below(
    project: Path, root: str, rules: IgnoreRules, left_out: Collection[str], seen: set[str]
) -> Iterator[tuple[Path, str]]:
    for folder, folders, files in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in left_out or real in seen:  # a link may lead back up
            folders.clear()
            continue
        seen.add(real)
        for name in files:
            path = Path(folder, name)
            relative = Path(os.path.relpath(path, project)).as_posix()
            read = path.suffix in _KINDS and name[0] not in _HIDDEN and not _GENERATED.fullmatch(name)
            if read and not rules.match(relative):
                yield path, relative


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8") if path.stat().st_size <= _MAX_BYTES else ""
    except (OSError, UnicodeDecodeError):
        return ""


# -- the calls in a file ----------------------------------------------------------------------------------------------


def _calls(path: Path, text: str) -> Iterator[tuple[Call, int]]:
    """The calls with their lines. Most files that nobody needs to read are told by one look."""
    if _CALL.search(text):
        yield from _READERS[path.suffix](text)


def _lines(read: Callable[[str], Iterator[Call]], text: str) -> Iterator[tuple[Call, int]]:
    for call in read(text):
        yield call, text.count("\n", 0, call.at) + 1


def _calls_in_yaml(text: str) -> Iterator[tuple[Call, int]]:
    """The calls in the values of a YAML file: those that are an expression, and those that hold Jinja."""
    import yaml

    try:
        root = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, RecursionError, ValueError):
        return
    waiting: list[Any] = [root]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:  # an anchor that is used again
            continue
        seen.add(id(node))
        match node:
            case yaml.ScalarNode(value=str(value)):
                written = text[node.start_mark.index : node.end_mark.index]
                yield from _calls_in_value(value, written, node.start_mark.line + 1)
            case yaml.SequenceNode(value=children):
                waiting.extend(children)
            case yaml.MappingNode(value=pairs):
                waiting.extend(value for key, value in pairs if key.value not in _PROSE)


def _calls_in_value(value: str, written: str, line: int) -> Iterator[tuple[Call, int]]:
    if not _CALL.search(value):
        return
    read = calls_in_expression if _EXPRESSION.fullmatch(value) else calls_in_template
    places = [found.start() for found in _CALL.finditer(written)]
    for call in read(value):
        before = len(_CALL.findall(value[: call.at]))  # YAML folds lines, so the calls are counted
        at = places[before] if before < len(places) else 0
        yield call, line + written.count("\n", 0, at)


_READERS: Final[Mapping[str, Callable[[str], Iterator[tuple[Call, int]]]]] = {
    ".sql": partial(_lines, calls_in_template),
    ".py": partial(_lines, calls_in_python),
    ".yml": _calls_in_yaml,
    ".yaml": _calls_in_yaml,
}
_KINDS: Final = frozenset((*_READERS, ".csv"))
