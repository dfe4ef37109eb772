"""What each mode lets pass, on which evidence, with which approval, and what is said about it."""

from datetime import date
from typing import Any

import pytest

from registry_tools.checks.decision import Question, borne_out, decide
from registry_tools.checks.modes import Modes
from registry_tools.mesh.change import Change
from registry_tools.mesh.impact import Effect, Impact, Reason
from registry_tools.mesh.public_model import Column, PublicModel
from registry_tools.mesh.publication import Approval
from registry_tools.mesh.verdict import MODES, Class, Classified, Judged, Mode, Reader, Verdict
from tests.builders import interface, public_model

TODAY = date(2026, 11, 21)
DOWN = Reader(consumer="dbt_down", environment="prod", nodes=2, unread=0, owner={})
SILENT = Reader(consumer="dbt_idle", environment="prod", nodes=0, unread=0, owner={})


def change(rule: str = "column-removed", kind: Class = "BREAKING", **place: Any) -> Classified:
    at = {"model": "orders", "column": "amount"} | place
    return Classified(change=Change(rule=rule, project="dbt_up", **at), kind=kind, code="", says="so")


def impact(effect: Effect, *nodes: str, consumer: str = "dbt_down", environment: str = "prod") -> Impact:
    found = tuple(
        Reason(effect=effect, rule="reads-column", node=node, model="orders")
        for node in nodes or ("model.dbt_down.a", "model.dbt_down.b")
    )
    return Impact(consumer=consumer, environment=environment, effect=effect, reasons=found)


def verdict(*found: tuple[Classified, tuple[Impact, ...]], **asked: Any) -> Verdict:
    sides = interface(public_model(**asked.pop("model", {})))
    fields: dict[str, Any] = {
        "environment": "prod",
        "names": ("dbt_up@prod#41", "candidate"),
        "old": sides,
        "new": sides,
        "found": found,
        "readers": (DOWN,),
        "today": TODAY,
    }
    return decide(Question(**fields | asked))


def judged(classified: Classified, *impacts: Impact, **asked: Any) -> Judged:
    (found,) = verdict((classified, impacts), **asked).judged
    return found


def outcome(mode: Mode, classified: Classified, *impacts: Impact, **asked: Any) -> str:
    return judged(classified, *impacts, modes=Modes(default=mode), **asked).outcome


# class, effect -> what off, consumers, consumers-strict, contract and frozen come to
EVIDENCE: list[tuple[Class, Effect | None, str]] = [
    ("BREAKING", "BROKEN", "allowed refused refused refused refused"),
    ("BREAKING", "UNKNOWN", "allowed unknown unknown refused refused"),
    ("BREAKING", "AFFECTED", "allowed allowed refused refused refused"),
    ("BREAKING", None, "allowed allowed allowed refused refused"),
    ("DANGEROUS", "BROKEN", "allowed refused refused refused refused"),
    ("DANGEROUS", "UNKNOWN", "allowed allowed unknown allowed refused"),
    ("DANGEROUS", "AFFECTED", "allowed allowed refused allowed refused"),
    ("DANGEROUS", None, "allowed allowed allowed allowed refused"),
    ("SAFE", "BROKEN", "allowed refused refused refused refused"),
    ("SAFE", "UNKNOWN", "allowed allowed allowed allowed refused"),
    ("SAFE", "AFFECTED", "allowed allowed refused allowed refused"),
    ("SAFE", None, "allowed allowed allowed allowed refused"),
]


@pytest.mark.parametrize(("kind", "effect", "expected"), EVIDENCE, ids=[f"{e[0]}-{e[1]}" for e in EVIDENCE])
def test_what_a_mode_makes_of_the_evidence(kind: Class, effect: Effect | None, expected: str) -> None:
    impacts = [impact(effect)] if effect else []
    assert [outcome(mode, change(kind=kind), *impacts) for mode in MODES] == expected.split()


@pytest.mark.parametrize("readers", [(), (SILENT,)])
def test_where_nobody_says_what_they_read_every_breaking_change_is_refused(readers: tuple[Reader, ...]) -> None:
    told = [outcome(mode, change(), readers=readers) for mode in MODES]
    assert told == ["allowed", "refused", "refused", "refused", "refused"]
    assert outcome("consumers", change(kind="DANGEROUS"), readers=readers) == "allowed"
    assert judged(change(), readers=()).because == (
        "consumers: a breaking change, and nobody has registered what they read"
    )


@pytest.mark.parametrize(
    ("kind", "effects", "expected"),
    [
        ("SAFE", [], "SAFE"),
        ("SAFE", ["UNKNOWN"], "SAFE"),
        ("SAFE", ["AFFECTED"], "DANGEROUS"),
        ("SAFE", ["AFFECTED", "BROKEN"], "BREAKING"),
        ("DANGEROUS", ["AFFECTED"], "DANGEROUS"),
        ("BREAKING", ["AFFECTED"], "BREAKING"),
    ],
)
def test_evidence_makes_a_class_worse_and_never_milder(kind: Class, effects: list[Effect], expected: Class) -> None:
    assert borne_out(kind, map(impact, effects)) == expected


# -- what is not to change at all -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "place", "expected"),
    [
        ("description-changed", {}, "refused"),
        ("lineage-changed", {"column": None}, "allowed"),
        ("owner-changed", {"model": None, "column": None, "group": "core"}, "allowed"),
        ("model-added", {"model": "customers", "column": None}, "allowed"),
    ],
)
def test_a_frozen_model_does_not_change_and_what_is_elsewhere_does(
    rule: str, place: dict[str, Any], expected: str
) -> None:
    assert outcome("frozen", change(rule, "SAFE", **place)) == expected


def test_in_frozen_whatever_is_touched_elsewhere_is_refused_as_in_the_strictest_mode() -> None:
    moved = change("latest-version-moved", "DANGEROUS", model="customers", column=None)
    assert outcome("frozen", moved) == "allowed"
    assert outcome("frozen", moved, impact("AFFECTED")) == "refused"
    assert outcome("frozen", moved, impact("UNKNOWN")) == "unknown"


# -- which mode -------------------------------------------------------------------------------------------------------


def mode_of(classified: Classified, modes: Modes, old: PublicModel, new: PublicModel | None = None) -> Mode:
    return judged(classified, modes=modes, old=interface(old), new=interface(new or old)).mode


def says(compatibility: object, **changes: Any) -> PublicModel:
    return public_model(meta={"mesh": {"compatibility": compatibility}}, **changes)


def test_the_nearest_to_the_model_counts() -> None:
    everything: dict[str, Any] = {"default": "off", "project": "consumers-strict", "groups": {"core": "contract"}}
    plain, grouped = public_model(), public_model(group="core")
    v1 = public_model(group="core", version=1)
    assert mode_of(change(), Modes(default="off"), grouped) == "off"
    assert mode_of(change(), Modes(**everything), plain) == "consumers-strict"
    assert mode_of(change(), Modes(**everything), grouped) == "contract"
    assert mode_of(change(), Modes(**everything, models={"orders": "off"}), grouped) == "off"
    models: dict[str, Mode] = {"orders": "off", "orders.v1": "frozen"}
    assert mode_of(change(model="orders.v1"), Modes(**everything, models=models), v1) == "frozen"
    assert mode_of(change(model="orders"), Modes(**everything, models={"orders.v1": "frozen"}), v1) == "frozen"
    assert mode_of(change(), Modes(default="off"), says("contract")) == "contract"
    assert mode_of(change(), Modes(models={"orders": "off"}), says("contract")) == "contract"
    assert mode_of(change(), Modes(models={"orders": "frozen"}), says("contract")) == "frozen"
    assert mode_of(change(model=None, column=None, group="core"), Modes(**everything), grouped) == "consumers-strict"


@pytest.mark.parametrize(("before", "after"), [("contract", "off"), ("off", "contract"), ("contract", False)])
def test_no_change_loosens_the_mode_that_it_is_judged_in(before: object, after: object) -> None:
    assert mode_of(change(), Modes(), says(before), says(after)) == "contract"


def test_of_two_modes_a_change_has_to_pass_in_each() -> None:
    both = {"old": interface(says("contract")), "new": interface(says("consumers-strict"))}
    found = judged(change(kind="DANGEROUS"), impact("AFFECTED"), **both)
    assert (found.mode, found.outcome) == ("consumers-strict", "refused")
    assert judged(change(kind="DANGEROUS"), **both).mode == "contract"
    found = judged(change(), impact("AFFECTED"), old=interface(says("off")), new=interface(public_model()))
    assert (found.mode, found.outcome) == ("consumers", "allowed")


@pytest.mark.parametrize("said", ["strict", 3, ["off"], {}])
def test_a_mode_that_is_none_counts_as_contract_and_is_told(said: object) -> None:
    told = verdict((change(), ()), old=interface(public_model()), new=interface(says(said)))
    assert [each.mode for each in told.judged] == ["contract"]
    assert told.notices == (
        f"orders: meta.mesh.compatibility is {str(said)!r}, which is no mode; it counts as contract",
    )


def test_modes_that_are_some_are_no_news() -> None:
    for said in (False, "off", "frozen"):
        assert verdict(new=interface(says(said))).notices == ()
    assert verdict(new=interface(public_model(meta={"mesh": "x"}))).notices == ()


# -- deprecate, then remove -------------------------------------------------------------------------------------------

OVER: dict[str, Any] = {"deprecation_date": "2026-11-20T00:00:00+00:00"}
COLUMN_OVER: dict[str, Any] = {"columns": {"amount": Column(name="amount", meta={"deprecation_date": "2026-11-20"})}}


@pytest.mark.parametrize("rule", ["model-removed", "model-renamed", "version-removed"])
@pytest.mark.parametrize("mode", ["consumers", "consumers-strict", "contract"])
def test_what_was_to_leave_may_go_once_nobody_reads_it(rule: str, mode: Mode) -> None:
    gone = change(rule, column=None)
    assert outcome(mode, gone, readers=(), model=OVER) == "allowed"
    assert outcome(mode, gone, impact("BROKEN"), model=OVER) == "refused"
    unknown = "refused" if mode == "contract" else "unknown"
    assert outcome(mode, gone, impact("UNKNOWN"), model=OVER) == unknown
    assert outcome(mode, gone, readers=(), model={"deprecation_date": "2026-11-21T00:00:00+00:00"}) == "refused"
    assert outcome(mode, gone, readers=(), model={"deprecation_date": "soon"}) == "refused"
    assert (
        judged(gone, readers=(), model=OVER).because == "consumers: it was to leave on 2026-11-20, and nobody reads it"
    )


def test_a_frozen_model_does_not_leave_either() -> None:
    assert outcome("frozen", change("model-removed", column=None), model=OVER) == "refused"


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (COLUMN_OVER, "allowed"),
        (OVER, "allowed"),
        ({"columns": {"amount": Column(name="amount", meta={"deprecation_date": "2026-11-21"})}}, "refused"),
        ({"columns": {"amount": Column(name="amount", meta={"deprecation_date": "soon"})}}, "refused"),
        ({"columns": {"amount": Column(name="amount", meta={"deprecation_date": 20261120})}}, "refused"),
        ({}, "refused"),
    ],
)
def test_a_column_leaves_as_its_meta_says(model: dict[str, Any], expected: str) -> None:
    assert outcome("contract", change(), model=model) == expected


def test_a_day_to_leave_on_is_no_day_to_change_on() -> None:
    assert outcome("contract", change("column-type-changed"), model=COLUMN_OVER | OVER) == "refused"


# -- approvals --------------------------------------------------------------------------------------------------------


def approval(until: str, rule: str = "column-removed", changed: str = "dbt_up.orders.amount") -> Approval:
    return Approval(rule=rule, object=changed, until=until, reason="agreed\nwith all")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (approval("2026-11-21"), "approved"),
        (approval("2026-12-24"), "approved"),
        (approval("2026-11-20"), "refused"),
        (approval("some day"), "refused"),
        (approval("2026-12-24", rule="model-removed"), "refused"),
        (approval("2026-12-24", changed="dbt_up.orders.id"), "refused"),
    ],
)
def test_an_approval_is_of_one_rule_and_one_object_until_its_day(given: Approval, expected: str) -> None:
    found = judged(change(), impact("BROKEN"), approvals=(given,))
    assert found.outcome == expected
    assert (found.approval == given) is (expected == "approved")
    if expected == "approved":
        assert found.because == f"approved until {given.until}: agreed\\nwith all"
        assert found.advice == ()


def test_what_nobody_knows_can_be_approved_and_what_is_allowed_needs_none() -> None:
    given = (approval("2026-12-24"),)
    assert judged(change(), impact("UNKNOWN"), approvals=given).outcome == "approved"
    assert judged(change(), approvals=given).approval is None


def test_of_two_approvals_the_longer_one_counts() -> None:
    for given in ((approval("2026-11-01"), approval("2026-12-24")), (approval("2026-12-24"), approval("2026-11-01"))):
        told = verdict((change(), (impact("BROKEN"),)), approvals=given)
        assert (told.answer, told.notices) == ("yes", ())


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        ("2026-11-21", "runs out on 2026-11-21"),
        ("2026-11-28", "runs out on 2026-11-28"),
        ("2026-11-29", None),
        ("2026-11-20", "ran out on 2026-11-20"),
        ("2026-10-22", "ran out on 2026-10-22"),
        ("2026-10-21", None),
        ("some\nday", "does not hold: 'some\\\\nday' is no day"),
    ],
)
def test_an_approval_that_runs_out_is_told(until: str, expected: str | None) -> None:
    told = [f"the approval of column-removed dbt_up.orders.amount {expected}"] if expected else []
    assert list(verdict(approvals=(approval(until),)).notices) == told


# -- the answer -------------------------------------------------------------------------------------------------------


def test_the_answer_is_that_of_the_worst_change() -> None:
    safe = (change("description-changed", "SAFE"), ())
    unknown = (change("model-removed", column=None), (impact("UNKNOWN"),))
    refused = (change(), (impact("BROKEN"),))
    assert verdict().answer == verdict(safe).answer == "yes"
    assert verdict(safe, unknown).answer == "unknown"
    assert verdict(safe, unknown, refused).answer == "no"
    assert [each.outcome for each in verdict(safe, unknown, refused).judged] == ["refused", "unknown", "allowed"]


def test_what_nobody_knows_may_be_let_pass() -> None:
    found = verdict((change(), (impact("UNKNOWN"),)), unknown="allow")
    assert found.answer == "yes"
    assert found.judged[0].because == (
        "consumers: nobody knows whether it breaks dbt_down in 2 models, which is allowed here"
    )
    assert verdict((change(), (impact("BROKEN"),)), unknown="allow").answer == "no"


def test_a_verdict_says_what_it_is_about() -> None:
    found = verdict(readers=(SILENT, DOWN))
    assert (found.project, found.environment, found.old, found.new) == ("dbt_up", "prod", "dbt_up@prod#41", "candidate")
    assert found.readers == (DOWN, SILENT)


# -- in words ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "kind", "impacts", "because"),
    [
        ("off", "BREAKING", [], "off: nothing is refused"),
        ("consumers", "SAFE", [], "consumers: it takes nothing from anybody"),
        ("consumers", "BREAKING", [], "consumers: nobody who is registered reads it"),
        ("consumers", "DANGEROUS", [impact("AFFECTED")], "consumers: it breaks nobody who is registered"),
        ("contract", "BREAKING", [], "contract: a breaking change, whoever reads it"),
        ("frozen", "SAFE", [], "frozen: the model is not to change at all"),
        ("frozen", "BREAKING", [impact("BROKEN")], "frozen: it breaks dbt_down in 2 models"),
        ("consumers", "BREAKING", [impact("BROKEN")], "consumers: it breaks dbt_down in 2 models"),
        ("contract", "BREAKING", [impact("BROKEN")], "contract: it breaks dbt_down in 2 models"),
        (
            "consumers",
            "BREAKING",
            [impact("BROKEN", "exposure.b.x", consumer="b"), impact("BROKEN", consumer="c")],
            "consumers: it breaks b in 1 exposure and 1 other consumer",
        ),
        (
            "consumers",
            "BREAKING",
            [impact("BROKEN", "unit_test.a.x", "unit_test.a.y", consumer=name) for name in "abc"],
            "consumers: it breaks a in 2 unit tests and 2 other consumers",
        ),
        (
            "consumers",
            "BREAKING",
            [impact("BROKEN", "model.a.x", "test.a.x"), impact("BROKEN", "model.a.x", environment="dev")],
            "consumers: it breaks dbt_down in 2 nodes",
        ),
        ("consumers", "BREAKING", [impact("BROKEN", "analysis.a.x")], "consumers: it breaks dbt_down in 1 node"),
        (
            "consumers-strict",
            "DANGEROUS",
            [impact("AFFECTED")],
            "consumers-strict: it may change the results of dbt_down in 2 models",
        ),
        (
            "consumers-strict",
            "DANGEROUS",
            [impact("UNKNOWN")],
            "consumers-strict: nobody knows what it does to dbt_down in 2 models",
        ),
    ],
)
def test_it_says_why(mode: Mode, kind: Class, impacts: list[Impact], because: str) -> None:
    assert judged(change(kind=kind), *impacts, modes=Modes(default=mode)).because == because
