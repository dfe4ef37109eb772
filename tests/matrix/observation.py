"""One consumer and one dbt in, everything seen of the two together out: what the matrix and the README are made of."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.matrix.engines import Answer, Engine
from tests.matrix.reader import UPSTREAMS, Reader

Json = dict[str, Any]

# What the interface does not have: of another access, or not there at all.
OUT_OF_REACH: Final = {"protected": "order_audit", "private": "int_orders_paid", "unknown": "nobody"}
RENAMED: Final = {"shop": {"SHOP_PROD": "SHARED_SHOP"}, "legacy": {"Legacy": "Shared_Legacy"}}
_LEAVING: Final = {"old_orders": "2020-01-31", r"products\.v1": "2099-06-30"}
# dbt compiles without asking the warehouse anything.
_COMPILE: Final = ("compile", "--no-introspect", "--no-populate-cache")
_TOO_FAR: Final = "select * from {{ upstream('shop', 'MODEL') }}\n"
_UNIT_TEST: Final = """
unit_tests:
  - name: amounts_are_as_upstream_has_them
    model: reads_orders
    given:
      - input: upstream('shop', 'orders')
        rows: [{order_id: 1, amount: 2}]
    expect: {rows: [{order_id: 1, amount: 2}]}
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Observed:
    """`facts` are JSON, the same at every run; the rest is for whoever looks closer."""

    facts: Json
    parsed: Answer
    manifest: Json
    compiled: Mapping[str, str]
    renamed: Mapping[str, str]


def observe(reader: Reader, engine: Engine, *, connected: bool, builds: bool) -> Observed:
    """Write and synchronise the reader, and try on it all that a consumer does.

    Without a connection its unit tests are compiled and not run. It `builds` where upstream's tables are.
    """
    reader.write()
    told = reader.sync(mixed=False)
    if reader.way == "loom":
        reader.sync()
    needs_deps = _installs_packages(reader, engine)
    parsed = engine.run(reader.folder, "parse")
    if not parsed.succeeded:
        return Observed(facts={"works": False}, parsed=parsed, manifest={}, compiled={}, renamed={})
    manifest: Json = json.loads((reader.folder / "target/manifest.json").read_text())
    facts: Json = {"works": True, "needs_deps": needs_deps, "warm": _stays_warm(reader, engine)}
    compiled = _compiled(reader, engine)
    if builds:
        facts["builds"] = engine.run(reader.folder, "build", "--defer", "--state", "state").succeeded
    facts["out_of_reach"] = [access for access, name in OUT_OF_REACH.items() if _is_refused(reader, engine, name)]
    facts["unit_test"] = _unit_test(reader, engine, connected=connected)
    reader.sync(RENAMED)
    renamed = _compiled(reader, engine)
    facts |= {"warned_by": [name for name, text in (("mesh sync", told), ("dbt", parsed.text)) if _warns(text)]}
    facts |= {"keeps_quotes": "legacy.prices is left out" not in told, **_known(manifest)}
    return Observed(facts=facts, parsed=parsed, manifest=manifest, compiled=compiled, renamed=renamed)


def nodes_of_upstream(manifest: Json) -> Iterator[Json]:
    """Upstream's models as the consumer's dbt has them: sources, or models of another project."""
    for node in [*manifest["sources"].values(), *manifest["nodes"].values()]:
        if node["resource_type"] in {"source", "model"} and upstream_of(node) in UPSTREAMS:
            yield node


def upstream_of(node: Json) -> str:
    """The project that a source or a model is of."""
    name: str = node["source_name"] if node["resource_type"] == "source" else node["package_name"]
    return name


def _installs_packages(reader: Reader, engine: Engine) -> bool:
    """Whether dbt cannot parse before `dbt deps`; afterwards it can."""
    if not (reader.folder / "packages.yml").exists():
        return False
    before = engine.run(reader.folder, "parse")
    installed = engine.run(reader.folder, "deps")
    assert installed.succeeded, installed.text
    return not before.succeeded


def _stays_warm(reader: Reader, engine: Engine) -> bool | None:
    """Whether dbt finds nothing to read again after another sync; None from a dbt that does not say."""
    reader.sync()
    again = engine.run(reader.folder, "parse")
    assert again.succeeded, again.text
    nothing = ("0 files deleted, 0 files added, 0 files changed", "no changes found, skipping parsing")
    return all(told in again.text for told in nothing) if again.events else None


def _compiled(reader: Reader, engine: Engine) -> dict[str, str]:
    answer = engine.run(reader.folder, *_COMPILE)
    assert answer.succeeded, answer.text
    written = reader.folder / "target/compiled/reader/models"
    return {path.stem: path.read_text().strip() for path in sorted(written.glob("*.sql"))}


def _is_refused(reader: Reader, engine: Engine, name: str) -> bool:
    model = reader.folder / "models/reaches_too_far.sql"
    model.write_text(reader.spelled(_TOO_FAR.replace("MODEL", name)))
    try:
        answer = engine.run(reader.folder, "parse")
    finally:
        model.unlink()
    return not answer.succeeded and name in answer.text


def _unit_test(reader: Reader, engine: Engine, *, connected: bool) -> str:
    """What becomes of a unit test that mocks a public model of upstream."""
    (reader.folder / "models/unit_tests.yml").write_text(reader.spelled(_UNIT_TEST))
    words = ("test", "--select", "test_type:unit") if connected else _COMPILE
    answer = engine.run(reader.folder, *words)
    if answer.succeeded:
        return "passes" if connected else "compiles"
    return "protected" if "is protected to the" in answer.text else "fails"


def _warns(text: str) -> bool:
    """Whether both models that leave are named with the day on which they do."""
    return all(re.search(f"{model}.*{day}", text) for model, day in _LEAVING.items())


def _known(manifest: Json) -> Json:
    """How much of what `shop` says of its models the consumer's dbt knows, in numbers of relations and of tests.

    It is the upstream that every way can name.
    """
    nodes = [node for node in nodes_of_upstream(manifest) if upstream_of(node) == "shop"]
    ids = {node["unique_id"] for node in nodes}
    readers = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    read = {parent for node in readers for parent in node["depends_on"]["nodes"] if parent in ids}
    tests = [node for node in manifest["nodes"].values() if node["resource_type"] == "test"]
    defined = {group["name"] for group in manifest["groups"].values()}

    def relations(kept: Iterator[Json]) -> int:
        return len({node["relation_name"] for node in kept})

    return {
        "reads_by": sorted({"source" if parent.startswith("source.") else "ref" for parent in read}),
        "models": relations(iter(nodes)),
        "with_columns": relations(node for node in nodes if node["columns"]),
        "with_group": relations(node for node in nodes if node.get("group")),
        "with_owner": relations(node for node in nodes if node.get("group") in defined),
        "with_group_in_meta": relations(node for node in nodes if _facts(node).get("group")),
        "with_freshness": relations(node for node in nodes if _ages(node)),
        "tests": sum(_guards(test, ids) for test in tests),
    }


def _ages(node: Json) -> bool:
    """Whether dbt holds the node against an age; a source without one has all the keys, and nulls below them."""
    return bool(((node.get("freshness") or {}).get("warn_after") or {}).get("count"))


def _facts(node: Json) -> Json:
    facts: Json = node["config"].get("meta", {}).get("mesh", {})
    return facts


def _guards(test: Json, ids: set[str]) -> bool:
    """Whether it is upstream's own promise, repeated here."""
    metadata = test.get("test_metadata") or {}
    return metadata.get("name") in {"unique", "not_null"} and ids.issuperset(test["depends_on"]["nodes"])
