"""Verdicts made by hand, and every report of a verdict: what a check could have come to, without any check."""

import json
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from registry_tools.artifacts.verdict_document import verdict_document
from registry_tools.artifacts.verdict_github import verdict_annotations
from registry_tools.artifacts.verdict_markdown import verdict_markdown
from registry_tools.artifacts.verdict_sarif import verdict_sarif
from registry_tools.artifacts.verdict_text import plain_text, verdict_text
from registry_tools.mesh.change import Change
from registry_tools.mesh.impact import Impact, Reason
from registry_tools.mesh.publication import Approval
from registry_tools.mesh.use import Place
from registry_tools.mesh.verdict import Advice, Classified, Judged, Reader, Verdict

ORDERS = {"team": "Orders Analytics", "contact": "#orders"}
LOOM = {"team": "Loom"}
VERSION_YAML = """\
models:
  - name: public_orders
    latest_version: 1
    versions:
      - v: 1
      - v: 2
        columns:
          - include: all
            exclude: [amount]
"""


def reason(node: str, **facts: Any) -> Reason:
    """A node of dbt_down that names the amount of public_orders."""
    known: dict[str, Any] = {"effect": "BROKEN", "rule": "reads-column", "model": "public_orders", "column": "amount"}
    return Reason(node=node, **{**known, **facts})


def impact(*reasons: Reason, consumer: str = "dbt_down", **facts: Any) -> Impact:
    """What a change does to dbt_down@prod: the effect of its first reason."""
    effect = reasons[0].effect if reasons else "UNKNOWN"
    known: dict[str, Any] = {"consumer": consumer, "environment": "prod", "effect": effect, "reasons": reasons}
    return Impact(**{**known, **facts})


def judged(rule: str, column: str | None = "amount", /, **facts: Any) -> Judged:
    """A change of public_orders, BREAKING and refused unless told otherwise."""
    kind = facts.pop("kind", "BREAKING")
    nature = facts.pop("nature", kind)
    about: dict[str, Any] = {name: facts.pop(name) for name in ("before", "after", "model", "project") if name in facts}
    place: dict[str, Any] = {"project": "dbt_up", "model": "public_orders", "column": column}
    change = Change(rule=rule, **{**place, **about})
    code, says = facts.pop("code", "C01"), facts.pop("says", "The column is gone: SQL that names it fails.")
    known: dict[str, Any] = {
        "kind": kind,
        "mode": "consumers",
        "outcome": "refused",
        "because": "consumers: it breaks dbt_down in 1 model",
    }
    return Judged(classified=Classified(change=change, kind=nature, code=code, says=says), **{**known, **facts})


def verdict(*changes: Judged, **facts: Any) -> Verdict:
    """What these changes of dbt_up@prod come to."""
    outcomes = {one.outcome for one in changes}
    answer = "no" if "refused" in outcomes else "unknown" if "unknown" in outcomes else "yes"
    known: dict[str, Any] = {
        "project": "dbt_up",
        "environment": "prod",
        "old": "dbt_up@prod#41",
        "new": "target/manifest.json",
    }
    return Verdict(judged=changes, **{**known, "answer": answer, "readers": (), **facts})


REMOVED = judged(
    "column-removed",
    before="number(12,2)",
    because="consumers: it breaks dbt_down in 3 nodes and 1 other consumer",
    impacts=(
        impact(
            reason("model.dbt_down.downstream_orders", path="models/marts/downstream_orders.sql", line=14),
            reason("model.dbt_down.order_tiers", path="models/marts/order_tiers.sql", line=3),
            reason("exposure.dbt_down.weekly", path="models/exposures.yml"),
            reason("test.dbt_down.not_null_amount"),
            owner=ORDERS,
        ),
        impact(
            reason("model.dbt_down_loom.private-3f9a2c41e07b"),
            reason(
                "model.dbt_down_loom.loom_totals",
                effect="AFFECTED",
                rule="through",
                path="models/loom_totals.sql",
                line=9,
                through=("dbt_down.downstream_orders.amount", "dbt_up.public_orders.amount"),
            ),
            consumer="dbt_down_loom",
            owner=LOOM,
        ),
        impact(effect="UNAFFECTED", consumer="dbt_other"),
    ),
    advice=(
        Advice(way="add-version", says="keep it and add public_orders.v2 without it", paste=VERSION_YAML),
        Advice(way="talk", says="talk to Orders Analytics #orders"),
        Advice(
            way="approve",
            says="let it happen",
            paste='mesh approve column-removed dbt_up.public_orders.amount --reason "..."',
        ),
    ),
)
TYPED = judged(
    "column-type-changed",
    "placed_at",
    before="timestamp_ntz",
    after="timestamp_tz",
    kind="DANGEROUS",
    code="C04",
    says="The type has a time zone now.",
    outcome="unknown",
    because="consumers: nobody knows whether it breaks dbt_down in 1 model",
    impacts=(impact(reason("model.dbt_down.pivoted", effect="UNKNOWN", rule="unread", told="a Python model")),),
)
ADDED = judged(
    "column-added",
    "note",
    after="varchar",
    kind="SAFE",
    code="C07",
    says="A column is new.",
    outcome="allowed",
    because="consumers: it takes nothing from anybody",
)
NULLABLE = judged(
    "test-removed",
    "status",
    before="not_null",
    kind="DANGEROUS",
    code="C05",
    says="The column may be null now.",
    outcome="allowed",
    because="consumers: it breaks nobody who is registered",
    impacts=(impact(reason("model.dbt_down.statuses", effect="AFFECTED", column="status"), owner=ORDERS),),
)
APPROVED = judged(
    "model-removed",
    None,
    model="old_orders",
    code="M01",
    says="The model is gone.",
    outcome="approved",
    because="approved until 2026-12-31: nobody reads it since May",
    approval=Approval(
        rule="model-removed", object="dbt_up.old_orders", until="2026-12-31", reason="nobody reads it since May"
    ),
)
QUIET = judged(
    "constraint-removed",
    None,
    before="unique (order_id)",
    kind="DANGEROUS",
    code="M13",
    says="Nothing says any more that rows are unique.",
    outcome="allowed",
    because="consumers: it breaks nobody who is registered",
)
READERS = (
    Reader(consumer="dbt_down", environment="prod", nodes=12, unread=1, owner=ORDERS, verified=True),
    Reader(consumer="dbt_down_loom", environment="prod", nodes=4, unread=0, owner=LOOM, why_not="no state is readable"),
    Reader(consumer="dbt_other", environment="prod", nodes=1, unread=0, owner={}),
)
NOTICES = ("the approval of model-removed dbt_up.old_orders ends on 2026-12-31",)
SEVERAL = verdict(REMOVED, TYPED, NULLABLE, APPROVED, ADDED, QUIET, readers=READERS, notices=NOTICES)
VERDICTS = {
    "one_refused": verdict(REMOVED, ADDED, readers=READERS[:2]),
    "several": SEVERAL,
    "unknown": verdict(TYPED, readers=READERS[:1]),
    "harmless": verdict(ADDED, readers=READERS),
    "nothing": verdict(readers=READERS[2:]),
}
# Where the upstream's own files speak of these models and columns.
PLACES = {
    "public_orders": Place(path="models/marts/public_orders.yml", line=3),
    "public_orders.placed_at": Place(path="models/marts/public_orders.yml", line=21),
}


def reports(verdict: Verdict, places: Mapping[str, Place] = PLACES) -> dict[str, str]:
    """Every report of it, by the name of the file that it is expected in."""
    folder = PurePath("dbt_up")
    return {
        "expected.txt": plain_text(verdict_text(verdict)),
        "expected.md": verdict_markdown(verdict),
        "expected.json": json_text(verdict_document(verdict)),
        "expected.github": verdict_annotations(verdict, places, folder),
        "expected.sarif": json_text(verdict_sarif(verdict, places, folder)),
    }


def json_text(document: dict[str, Any]) -> str:
    """The document, indented."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
