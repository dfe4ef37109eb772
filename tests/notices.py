"""Notices of each kind, small: what tests of the messages have in common."""

from typing import Any, Final

from registry_tools.mesh.notice import Concerned, Difference, Leaving, Notice, notice_id
from registry_tools.mesh.publication import Actor

ACTOR: Final = Actor(
    system="github",
    repository="acme/dbt-mesh",
    ref="main",
    commit="0123456789abcdef0123456789abcdef01234567",
    run="812",
    pipeline="dbt_up",
)
REMOVED: Final = Difference(
    rule="column-removed", object="dbt_up.public_orders.amount", kind="BREAKING", before="number(12,2)"
)
ADDED: Final = Difference(rule="column-added", object="dbt_up.public_orders.net", kind="SAFE", after="number(12,2)")
GOING: Final = Leaving(model="public_products.v1", day="2026-12-31", instead="public_products.v2")
BROKEN: Final = Concerned(
    consumer="dbt_down",
    environment="prod",
    effect="BROKEN",
    owner={"team": "Orders Analytics", "contact": "#orders"},
    reads=("public_products.v1",),
)
READING: Final = Concerned(consumer="dbt_down_loom", environment="prod", reads=("public_products.v1",))
PUBLICATION: Final = "20260123T064541Z-0123456789ab"


def notice(**changes: Any) -> Notice:
    """A publication of dbt_up that removes a column and adds one, and what leaves soon."""
    facts: dict[str, Any] = {
        "id": notice_id("publication", ("a" * 64,)),
        "event": "publication",
        "project": "dbt_up",
        "environment": "prod",
        "time": "2026-01-23T06:50:00+00:00",
        "was": "dbt_up@prod#41",
        "now": "dbt_up@prod#42",
        "publication": PUBLICATION,
        "actor": ACTOR,
        "changes": (REMOVED, ADDED),
        "leaving": (GOING,),
        "concerned": (BROKEN, READING),
        "days": 30,
    }
    return Notice(**facts | changes)


def of(rule: str, outcome: str) -> Difference:
    """A change as a check reports it."""
    return Difference(rule=rule, object="dbt_up.public_orders", kind="BREAKING", outcome=outcome)  # type: ignore[arg-type]  # the caller knows


NOTICES: Final = {
    "publication": notice(),
    "first_publication": notice(was=None, now="dbt_up@prod#1", changes=(ADDED,), concerned=(), leaving=()),
    "unchanged": notice(changes=(), concerned=(READING,)),
    "not_kept": notice(changes=None, leaving=(), concerned=()),
    "rollback": notice(event="rollback", reason="amounts were doubled", concerned=(), leaving=()),
    "yank": notice(event="yank", reason="it holds test data", changes=(), concerned=(), leaving=()),
    "refusal": notice(
        event="refusal",
        now="this project",
        publication=None,
        changes=(of("model-removed", "refused"), of("rows-narrowed", "unknown"), of("column-added", "allowed")),
        leaving=(),
    ),
    "deprecation": notice(event="deprecation", was="dbt_up@prod#42", changes=(), concerned=(READING,)),
    "nothing_known_of_anybody": notice(actor=Actor(), leaving=(Leaving(model="orders", day="2026-12-01"),)),
}
