"""Reports of findings: nothing that somebody wrote becomes a command of a workflow."""

from pathlib import PurePath

import pytest

from registry_tools.artifacts.finding_report import annotations, finding_document, finding_entries
from registry_tools.mesh.use import Finding, Place

LEFT = Finding(
    rule="model-left",
    level="error",
    what="dbt_up.orders left on 2026-11-03",
    then="use sales instead",
    places=(Place(path="models/a.sql", line=12), Place(path="models/b.sql")),
    upstream="dbt_up",
    model="orders",
)
NOTE = Finding(rule="not-a-consumer", level="note", what="not known", places=())


def test_each_place_is_an_annotation_at_its_line() -> None:
    message = "dbt_up.orders left on 2026-11-03%0Ause sales instead"
    assert annotations((LEFT, NOTE), PurePath("dbt_down")).splitlines() == [
        f"::error file=dbt_down/models/a.sql,line=12,title=mesh%3A model-left::{message}",
        f"::error file=dbt_down/models/b.sql,title=mesh%3A model-left::{message}",
        "::notice title=mesh%3A not-a-consumer::not known",
    ]


@pytest.mark.parametrize("text", ["a\n::error::b", "a\r::add-mask::b", "100%25", "a\u2028b\x1b[31m"])
def test_what_somebody_wrote_stays_text(text: str) -> None:
    odd = Finding(rule="model-left", level="warning", what=text, then=text, places=(Place(path=f"x,line=1::{text}"),))
    written = annotations((odd,), PurePath())
    assert written.count("\n") == 1
    assert written.isprintable() or written[:-1].isprintable()
    head, _, message = written.removeprefix("::warning ").partition("::")
    assert head.startswith("file=x%2Cline=1%3A%3A")
    assert "::warning" not in message
    assert ("100%2525" in message) == ("%" in text)


def test_programs_get_every_part() -> None:
    assert finding_document((LEFT, NOTE)) == {
        "errors": 1,
        "warnings": 0,
        "findings": finding_entries((LEFT, NOTE)),
    }
    assert finding_entries((LEFT,)) == [
        {
            "rule": "model-left",
            "level": "error",
            "upstream": "dbt_up",
            "model": "orders",
            "message": "dbt_up.orders left on 2026-11-03",
            "next": "use sales instead",
            "places": [{"path": "models/a.sql", "line": 12}, {"path": "models/b.sql", "line": None}],
        }
    ]
