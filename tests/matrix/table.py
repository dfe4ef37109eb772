"""The matrix as recorded in, the README's table of the ways to read an upstream out: nothing in it is typed by hand."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from registry_tools.mesh.upstream import WAYS
from tests.matrix.engines import FIXTURES

RECORDED: Final = FIXTURES / "matrix.json"

Facts = Mapping[str, Any]
Recorded = Mapping[str, Mapping[str, Facts]]  # by version, then by way

_START, _END = "<!-- matrix -->\n", "<!-- end of matrix -->\n"


def matrix_table(recorded: Recorded) -> str:
    """Markdown: a row for each thing that a consumer may ask about, a column for each way."""
    head = ["| what you get | " + " | ".join(f"`as: {way}`" for way in WAYS) + " |", "| --- |" + " --- |" * len(WAYS)]
    rows = [f"| {title} | " + " | ".join(_told(recorded, way, say) for way in WAYS) + " |" for title, say in _ROWS]
    return "\n".join([*head, *rows]) + "\n"


def with_table(document: Path, table: str) -> str:
    """The document with the table between its marks."""
    before, start, rest = document.read_text().partition(_START)
    _, end, after = rest.partition(_END)
    assert end, f"{document.name} has no {_START}...{_END}"
    return before + start + table + end + after


def _told(recorded: Recorded, way: str, say: Callable[[Facts], str | None]) -> str:
    """What `say` finds in this way: one word where all versions agree, else each with its versions."""
    found = [(version, say(cells[way])) for version, cells in recorded.items()]
    groups: dict[str, list[str]] = {}
    for version, text in found:
        if text is not None:
            groups.setdefault(text, []).append(version)
    if len(groups) == 1:
        return next(iter(groups))
    return "; ".join(f"{text} ({', '.join(versions)})" for text, versions in groups.items())


def _where_it_works(say: Callable[[Facts], str | None]) -> Callable[[Facts], str | None]:
    return lambda facts: say(facts) if facts["works"] else None


def _yes(fact: str) -> Callable[[Facts], str | None]:
    return _where_it_works(lambda facts: None if facts[fact] is None else "yes" if facts[fact] else "no")


def _groups(facts: Facts) -> str:
    if facts["with_owner"]:
        return "dbt's groups, with owners"
    return "the name alone" if facts["with_group"] else "in `meta.mesh`" if facts["with_group_in_meta"] else "no"


_UNIT_TESTS: Final = {
    "passes": "yes",
    "compiles": "they compile",
    "protected": "no: dbt takes the mocked model for a protected one",
    "fails": "no",
}
_ROWS: Final[tuple[tuple[str, Callable[[Facts], str | None]], ...]] = (
    ("works with dbt", lambda facts: "yes" if facts["works"] else "no"),
    ("needs a plugin", _where_it_works(lambda facts: "dbt-loom" if facts["needs_plugin"] else "no")),
    ("needs `dbt deps`", _yes("needs_deps")),
    (
        "you write",
        _where_it_works(lambda facts: ", ".join(f"`{name}('shop', 'orders')`" for name in facts["reads_by"])),
    ),
    ("columns, types and descriptions in your docs", _where_it_works(lambda f: "yes" if f["with_columns"] else "no")),
    ("unit tests that mock an upstream model", _where_it_works(lambda facts: _UNIT_TESTS[facts["unit_test"]])),
    (
        "upstream's `unique` and `not_null` tests, with `tests: true`",
        _where_it_works(lambda f: "yes" if f["tests"] else "no"),
    ),
    (
        "private and protected models stay out of reach",
        _where_it_works(lambda facts: "yes" if facts["out_of_reach"] == ["protected", "private", "unknown"] else "no"),
    ),
    ("groups and owners", _where_it_works(_groups)),
    ("who warns of a model that leaves", _where_it_works(lambda facts: " and ".join(facts["warned_by"]) or "nobody")),
    ("`dbt source freshness`", _where_it_works(lambda f: "yes" if f["with_freshness"] else "no")),
    (
        'quoted names, such as `"Price List"`',
        _where_it_works(lambda f: "yes" if f["keeps_quotes"] else "not for tables: `mesh sync` says so"),
    ),
    ("partial parsing stays warm after `mesh sync`", _yes("warm")),
)
