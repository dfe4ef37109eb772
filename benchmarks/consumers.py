"""A number of models in, the compiled manifest of a project that reads another one's public models out.

Its SQL is what people write: import CTEs, joins, windows, `case`, unions, `qualify`, and stars between the steps; every
model names columns of those that it reads, so that what a query reads depends on what the ones before it give.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks import nodes
from benchmarks.nodes import Json, Place

PROJECT: Final = "consumer"
UPSTREAM: Final = "upstream"
_TABLES: Final = 60
_STARRED_EVERY: Final = 9
_UNITED_EVERY: Final = 7
_METADATA: Final[Json] = {
    "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
    "dbt_version": "1.12.6",
    "generated_at": "2026-01-23T06:45:41.216693Z",
    "project_name": PROJECT,
    "adapter_type": "snowflake",
    "env": {},
}


def write_consumer(path: Path, models: int) -> None:
    """Write the manifest: 30 % of the models read upstream, 30 % join those, 40 % stand at the end; with tests."""
    entries = list(_models(models))
    places = [place for place, _, _ in entries]
    tests = [nodes.data_test(place, kind, place.key) for place in places for kind in ("unique", "not_null")]
    built = [_model(place, parents, sql) for place, parents, sql in entries]
    document = {
        "metadata": _METADATA,
        "nodes": {node["unique_id"]: node for node in (*built, *tests)},
        "sources": {source["unique_id"]: source for source in map(_source, range(_TABLES))},
        **{name: {} for name in ("groups", "exposures", "unit_tests", "semantic_models", "macros")},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), encoding="utf-8")


def _models(count: int) -> Iterator[tuple[Place, list[str], str]]:
    staging = [Place(PROJECT, "staging", index) for index in range(count * 3 // 10)]
    between = [Place(PROJECT, "intermediate", index) for index in range(len(staging))]
    for place in staging:
        yield place, [_source(place.number)["unique_id"]], _staging(place)
    for place in between:
        read = sorted({place.number, place.number * 7 % len(staging), place.number // 3})
        yield place, [staging[at].unique_id for at in read], _joined(place, [staging[at] for at in read])
    for index in range(count - len(staging) - len(between)):
        place = Place(PROJECT, "marts", index)
        read = sorted({(index * 3 // 4 + step * 5) % len(between) for step in range(2 + index % 3)})
        parents = [between[at] for at in read]
        text = _united if index % _UNITED_EVERY == 0 else _joined
        yield place, [parent.unique_id for parent in parents], text(place, parents)


def _relation(place: Place) -> str:
    return f"PROD.{place.layer.upper()}.{place.alias}"


def _columns(place: Place) -> list[str]:
    return list(nodes.described(place))


def _upstream(index: int) -> Place:
    return Place(UPSTREAM, "marts", index % _TABLES)


def _source(index: int) -> Json:
    place = _upstream(index)
    described = nodes.described(place)
    mark = {"mesh": {"project": UPSTREAM, "model": place.name, "contract": "enforced"}}
    return nodes.source(PROJECT, place.number) | {
        "unique_id": f"source.{PROJECT}.{UPSTREAM}.{place.name}",
        "name": place.name,
        "source_name": UPSTREAM,
        "relation_name": _relation(place),
        "columns": described,
        "meta": mark,
        "config": {"enabled": True, "meta": mark},
    }


def _staging(place: Place) -> str:
    """Most rename column by column; some take all as they are."""
    upstream = _upstream(place.number)
    if place.number % _STARRED_EVERY == 0:
        return f"with source as (\n\n    select * from {_relation(upstream)}\n\n)\n\nselect * from source"  # noqa: S608
    pairs = zip(_columns(upstream), _columns(place), strict=True)
    named = ",\n".join(f"        {old} as {new}" for old, new in pairs)
    return (
        f"with source as (\n\n    select * from {_relation(upstream)}\n\n),\n\n"  # noqa: S608
        f"renamed as (\n\n    select\n{named}\n    from source\n\n)\n\nselect * from renamed"
    )


def _gives(place: Place) -> list[str]:
    starred = place.layer == "staging" and place.number % _STARRED_EVERY == 0
    return _columns(_upstream(place.number)) if starred else _columns(place)


def _joined(place: Place, parents: list[Place]) -> str:
    """Import CTEs, a join with computed columns, a window over it, the newest row of each key."""
    imports = "".join(f"{p.name} as (\n\n    select * from {_relation(p)}\n\n),\n\n" for p in parents)  # noqa: S608
    first, key = parents[0].name, _gives(parents[0])[0]
    values = [_value(number, parents[number % len(parents)], new) for number, new in enumerate(_columns(place))]
    joins = "".join(
        f"\n    left join {other.name}\n        on {first}.{key} = {other.name}.{_gives(other)[0]}"
        f" and {other.name}.{_gives(other)[1]} <> 'deleted'"
        for other in parents[1:]
    )
    own = _columns(place)
    steps = (
        f"with {imports}joined as (\n\n    select",
        ",\n".join(values),
        f"    from {first}{joins}\n\n),\n\nnumbered as (\n\n    select",
        f"        *,\n        row_number() over (partition by {own[0]} order by {own[2]} desc) as row_number",
        f"    from joined\n    where {own[0]} is not null\n\n),\n\nfinal as (\n\n    select * exclude (row_number)",
        "    from numbered\n    qualify row_number = 1\n\n)\n\nselect * from final",
    )
    return "\n".join(steps)


def _value(number: int, parent: Place, new: str) -> str:
    old = _gives(parent)[number]
    match number % 5:
        case 3:
            return f"        coalesce({parent.name}.{old}, 0) as {new}"
        case 4:
            return f"        case when {parent.name}.{old} > 0 then 'yes' else 'no' end as {new}"
        case _:
            return f"        {parent.name}.{old} as {new}"


def _united(place: Place, parents: list[Place]) -> str:
    """Aggregates of several models, one below the other."""
    own = _columns(place)
    parts = []
    for parent in parents:
        given = _columns(parent)
        sums = ",\n".join(f"    max({old}) as {new}" for old, new in zip(given[2:], own[2:], strict=True))
        parts.append(
            f"select\n    {given[0]} as {own[0]},\n    {given[1]} as {own[1]},\n{sums}\n"
            f"from {_relation(parent)}\ngroup by {given[0]}, {given[1]}"
        )
    return "\n\nunion all\n\n".join(parts)


def _model(place: Place, parents: list[str], compiled: str) -> Json:
    raw = compiled
    for parent in parents:
        kind, _, *rest = parent.split(".")
        name = rest[-1]
        call = f"source('{UPSTREAM}', '{name}')" if kind == "source" else f"ref('{name}')"
        for layer in ("STAGING", "INTERMEDIATE", "MARTS"):
            raw = raw.replace(f"PROD.{layer}.{name}", f"{{{{ {call} }}}}")
    head = f"{{{{\n    config(\n        materialized='table',\n        tags=['{place.layer}']\n    )\n}}}}\n\n"
    entry = nodes.model(place, parents)
    return entry | {"raw_code": head + raw, "compiled_code": "\n\n" + compiled}
