"""An interface in, the source YAML of a consumer out: `source('dbt_up', 'public_orders')` reads the public table."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from registry_tools.artifacts import properties
from registry_tools.artifacts.files import MARK
from registry_tools.artifacts.yaml_text import inert, yaml_text
from registry_tools.mesh.freshness import freshness_of
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.public_model import PublicModel
from registry_tools.mesh.publication import Publication
from registry_tools.mesh.relation import Part, Relation

# Tables of one file. dbt takes a source whole: one changed table parses again all that stand beside it.
MOST: Final = 100
_LONGEST: Final = 60  # of one name in a file's name, of which 255 bytes are the most
_SPECIAL: Final = re.compile(r"[^A-Za-z0-9_-]+")

Place = tuple[Part | None, Part | None]
Located = tuple[Relation, PublicModel]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    tests: bool
    tables: frozenset[str] | None


def sources_files(
    interface: Interface, publication: Publication, *, tests: bool, tables: frozenset[str] | None = None
) -> dict[str, str]:
    """The public models as sources, by the names of their files below the consumer's model path.

    One file for each database and schema, because dbt's partial parsing keeps sources apart by their names alone and
    overlooks a change in the first of two blocks of one file (dbt-core, PartialParsing.get_diff_for); and several
    from more than MOST tables on, each table always in the same one, so that a changed table re-parses few others.
    The text depends on the models alone, so an upstream that publishes again without changing them leaves the file
    as it is. `tests` also repeats the upstream's unique and not_null tests here; of `tables` none but those are there.
    """
    places: dict[Place, list[Located]] = {}
    for model in interface.models:
        relation = model.relation(interface.adapter)
        places.setdefault((relation.database, relation.schema), []).append((relation, model))
    blocks: dict[str, list[Located]] = {}
    for place, stem in _stems(interface.project, places).items():
        blocks |= _chunks(stem, places[place])
    asked = _Asked(tests=tests, tables=tables)
    return {f"{stem}.yml": _text(interface, publication, blocks[stem], asked) for stem in sorted(blocks)}


def is_sources_file(name: str, upstream: str) -> bool:
    """Whether a file of this name holds, or held, sources of this upstream."""
    own = f"_mesh_{upstream}"
    return name == f"{own}.yml" or (name.startswith(f"{own}.") and name.endswith(".yml"))


def _stems(upstream: str, places: Iterable[Place]) -> dict[Place, str]:
    """The name of each place's file: `_mesh_dbt_up` of the only one, `_mesh_dbt_up.DBT_UP_PROD.MARTS` of several."""
    own = f"_mesh_{upstream}"
    named = {place: [part.name for part in place if part] for place in places}
    if len(named) == 1:
        return dict.fromkeys(named, own)
    stems = {
        place: ".".join([own, *(_SPECIAL.sub("", name)[:_LONGEST] for name in told)]) for place, told in named.items()
    }
    alike = Counter(stem.casefold() for stem in stems.values())
    return {
        place: stem
        if alike[stem.casefold()] == 1 and stem == ".".join([own, *named[place]])
        else f"{stem}-{_number(f'{place[0]} {place[1]}'):08x}"
        for place, stem in stems.items()
    }


def _chunks(stem: str, models: list[Located]) -> dict[str, list[Located]]:
    """The models by file. All versions of a model stand together, so that a new one moves no table."""
    chunks, held = 1, _chunked(models, 1)
    while max(sum(len(model.called) for _, model in some) for some in held.values()) > MOST and chunks < len(models):
        chunks *= 2
        held = _chunked(models, chunks)
    return {stem if chunks == 1 else f"{stem}.{chunk + 1}": some for chunk, some in held.items()}


def _chunked(models: list[Located], chunks: int) -> dict[int, list[Located]]:
    held: dict[int, list[Located]] = {}
    for relation, model in models:
        held.setdefault(_number(model.name) % chunks, []).append((relation, model))
    return held


def _number(text: str) -> int:
    return int(hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8], 16)


def _text(interface: Interface, publication: Publication, models: list[Located], asked: _Asked) -> str:
    held = msgspec.structs.replace(interface, models=tuple(model for _, model in models))
    head = (
        f"# {MARK} from {interface.project}@{publication.environment}; do not edit, run mesh sync.\n"
        f"# interface sha256:{held.digest}\n"
    )
    ordered = sorted(models, key=lambda pair: (pair[1].name, str(pair[1].version)))
    return head + yaml_text({"version": 2, "sources": [_block(interface, ordered, asked)]})


def _block(interface: Interface, pairs: list[Located], asked: _Asked) -> dict[str, Any]:
    relation = pairs[0][0]
    block: dict[str, Any] = {
        "name": interface.project,
        "description": f"The public models of {interface.project}.",
    }
    if relation.database:
        block["database"] = inert(relation.database.inner)
    if relation.schema:
        block["schema"] = inert(relation.schema.inner)
    if quoting := _quoting(interface, database=relation.database, schema=relation.schema):
        block["quoting"] = quoting
    block["config"] = {"meta": {"mesh": {"project": interface.project}}}
    block["tables"] = [
        _table(interface, model, name, place, tests=asked.tests)
        for place, model in pairs
        for name in model.called
        if asked.tables is None or name in asked.tables
    ]
    return block


def _table(interface: Interface, model: PublicModel, name: str, relation: Relation, *, tests: bool) -> dict[str, Any]:
    table: dict[str, Any] = {"name": name, "identifier": inert(relation.identifier.inner)}
    if quoting := _quoting(interface, identifier=relation.identifier):
        table["quoting"] = quoting
    if description := properties.description(interface, model):
        table["description"] = description
    table["config"] = properties.config(interface, model, _facts(model, unversioned=name == model.name))
    if freshness := freshness_of(model.meta):
        if freshness.loaded_at_field:
            table["config"]["loaded_at_field"] = inert(freshness.loaded_at_field)
        if freshness.thresholds:
            table["config"]["freshness"] = dict(freshness.thresholds)
    if columns := properties.columns(model, tests=tests):
        table["columns"] = columns
    return table


def _facts(model: PublicModel, *, unversioned: bool) -> dict[str, Any]:
    """By what mesh lineage and the usage of a consumer know which model a source stands for."""
    versioned = model.version is not None and not unversioned
    return {"project": model.package_name, "model": model.name} | ({"version": model.version} if versioned else {})


def _quoting(interface: Interface, **parts: Part | None) -> dict[str, bool]:
    """What is quoted, as what dbt quotes where nothing is said differs by adapter and by project.

    Of an unquoted name on Snowflake nothing has to be said: it is held in upper case, and so is the same with quotes.
    """
    told = {name: bool(part.quote) for name, part in parts.items() if part}
    return {name: quoted for name, quoted in told.items() if quoted or interface.adapter != "snowflake"}
