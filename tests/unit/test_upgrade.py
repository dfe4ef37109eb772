"""`mesh check --consumer` beyond the pin: what the upstream has changed since, and what this project would meet."""

from datetime import date
from pathlib import Path

from registry_tools.mesh.upstream import Upstream
from registry_tools.mesh.use import Finding, Place
from registry_tools.registry.publications import Registry
from registry_tools.tasks.check_consumer import CheckRequest, check_consumer
from tests.builders import project_folder, publish
from tests.unit.test_check_changes import down, lock_of, up

ORDERS = "PROD.MARTS.orders"


def findings(root: Path, registry: Registry, sql: str, before: list[str], *after: str) -> list[Finding]:
    """What a consumer with this SQL is told, which pins the columns `before` while `after` are published."""
    publish(root, registry, up(*before))
    project = project_folder(root, "dbt_down", down(sql))
    (root / "dbt_down/mesh.lock").write_text(lock_of(registry, "prod"))
    publish(root, registry, up(*after, built=2))
    request = CheckRequest(
        project=project,
        environment="prod",
        reads=("prod",),
        upstreams=[Upstream(name="dbt_up")],
        today=date(2026, 3, 1),
    )
    return list(check_consumer(request, registry))


def test_a_column_that_went_since_is_an_error_at_its_line(tmp_path: Path, registry: Registry) -> None:
    (found,) = findings(tmp_path, registry, f"select id, amount from {ORDERS}", ["id", "amount"], "id")
    assert (found.rule, found.level, found.model) == ("upgrade-breaks", "error", "orders")
    assert found.what == "with dbt_up@prod#2: orders.amount, number, is gone. It names the column"
    assert found.places == (Place(path="models/marts/report.sql", line=1),)
    assert found.then == "mesh sync --upgrade dbt_up, then build and mend what fails"


def test_whole_rows_that_lose_a_column_are_a_warning(tmp_path: Path, registry: Registry) -> None:
    (found,) = findings(tmp_path, registry, f"select * from {ORDERS}", ["id", "amount"], "id")
    assert (found.rule, found.level, found.then) == ("upgrade-changes", "warning", "")


def test_what_cannot_be_read_is_a_warning_with_its_reason(tmp_path: Path, registry: Registry) -> None:
    (found,) = findings(tmp_path, registry, "select from where", ["id", "amount"], "id")
    assert (found.rule, found.level) == ("upgrade-unknown", "warning")
    assert "it cannot be parsed" in found.what


def test_what_takes_nothing_away_is_not_told(tmp_path: Path, registry: Registry) -> None:
    assert findings(tmp_path, registry, f"select * from {ORDERS}", ["id"], "id", "note") == []
    assert findings(tmp_path, registry, f"select id from {ORDERS}", ["id"], "id") == []


def test_a_new_column_that_makes_a_name_ambiguous_is_an_error(tmp_path: Path, registry: Registry) -> None:
    sql = f"select orders.id, note from {ORDERS} cross join (select 1 as note) as notes"
    (found,) = findings(tmp_path, registry, sql, ["id"], "id", "note")
    assert found.rule == "upgrade-breaks"
    assert "ambiguous, or read instead" in found.what
