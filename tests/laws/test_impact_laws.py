"""Laws of impact and decision: evidence only ever adds up, and no order, no consumer and no approval takes any away."""

import random
from collections.abc import Iterable
from datetime import date
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from registry_tools.checks.classes import classified
from registry_tools.checks.comparison import compare
from registry_tools.checks.decision import OUTCOMES, Question, borne_out, decide
from registry_tools.checks.impact import impacts
from registry_tools.checks.modes import Modes
from registry_tools.checks.readership import Consumption, Failure, Readership
from registry_tools.mesh.impact import EFFECTS, REASONS, Effect, Impact
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.public_model import Column, Contract, PublicModel
from registry_tools.mesh.publication import Approval
from registry_tools.mesh.usage import Passed, Read, Usage
from registry_tools.mesh.verdict import CLASSES, MODES, Classified, Mode, Verdict
from tests.builders import interface, public_model

TODAY = date(2026, 11, 21)
# Which mode never lets pass what which other one refuses.
STRICTER: tuple[tuple[Mode, Mode], ...] = (
    ("off", "consumers"),
    ("consumers", "consumers-strict"),
    ("consumers", "contract"),
    ("consumers-strict", "frozen"),
    ("contract", "frozen"),
)

# Few words, so that what is read is often what changes.
NAMES = st.sampled_from(["orders", "customers"])
COLUMNS = st.sampled_from(["a", "b", "A", "c"])
TYPES = st.sampled_from(["int", "number(10,2)", "number(12,2)", "varchar", "variant", None])
DAYS = st.sampled_from([None, "2026-11-01T00:00:00+00:00", "2027-01-01T00:00:00+00:00"])
SAID = st.sampled_from([{}, {"mesh": {"consumers": ["dbt_down"]}}, {"mesh": {"consumers": ["dbt_down.core", "crm"]}}])
WHOLE = st.lists(st.sampled_from(["contract", "output", "position", "value"]), unique=True, max_size=2).map(tuple)


@st.composite
def columns(draw: st.DrawFn) -> dict[str, Column]:
    names = draw(st.lists(COLUMNS, unique=True, max_size=3))
    return {n: Column(name=n, data_type=draw(TYPES), quote=draw(st.sampled_from([None, True]))) for n in names}


@st.composite
def interfaces(draw: st.DrawFn) -> Interface:
    models: list[PublicModel] = []
    for name in draw(st.lists(NAMES, unique=True, min_size=1)):
        versions = draw(st.sampled_from([(None,), (1,), (1, 2), (2,)]))
        latest = None if versions == (None,) else draw(st.sampled_from([1, 2]))
        models += [
            public_model(
                name,
                version=version,
                latest_version=latest,
                columns=draw(columns()),
                deprecation_date=draw(DAYS),
                meta=draw(SAID),
                contract=Contract(enforced=draw(st.booleans())),
            )
            for version in versions
        ]
    return interface(*models, adapter=draw(st.sampled_from(["snowflake"] * 5 + ["duckdb"])))


@st.composite
def reads(draw: st.DrawFn, upstream: str = "dbt_up") -> Read:
    named = tuple(sorted(draw(st.sets(COLUMNS, max_size=3))))
    known: dict[str, Any] = {"columns": named, "lines": tuple(range(1, len(named) + 1)), "whole": draw(WHOLE)}
    known["taken"] = tuple(draw(st.sets(COLUMNS, max_size=2)))
    return Read(
        upstream=upstream,
        model=draw(NAMES if upstream == "dbt_up" else st.sampled_from(["shop", "mart"])),
        version=draw(st.sampled_from(["", "", "1", "2"])),
        node=f"model.down.{draw(st.sampled_from('xyz'))}",
        via="ref",
        **draw(st.sampled_from([known, known, known, {"unread": "a Python model"}, {}])),
    )


@st.composite
def passed(draw: st.DrawFn, upstream: str) -> Passed:
    column, here = draw(st.sampled_from([("*", "*"), (draw(COLUMNS), draw(COLUMNS)), (draw(COLUMNS), draw(COLUMNS))]))
    return Passed(
        upstream=upstream,
        model=draw(NAMES if upstream == "dbt_up" else st.sampled_from(["shop", "mart"])),
        version=draw(st.sampled_from(["", "", "1"])),
        column=column,
        into=draw(st.sampled_from(["shop", "mart", "shop.v1"])),
        column_here=here,
        whole=draw(st.booleans()),
    )


@st.composite
def consumptions(draw: st.DrawFn) -> Consumption:
    name = draw(st.sampled_from(["dbt_down", "crm", "dwh"]))
    upstreams = draw(st.lists(st.sampled_from(["dbt_up", "dbt_up", "dbt_down", "crm"]), max_size=4))
    failures = draw(st.lists(st.builds(Failure, node=st.just("model.down.x"), model=NAMES, column=COLUMNS), max_size=1))
    usage = Usage(
        project=name,
        reads=tuple(draw(reads(upstream)) for upstream in upstreams),
        passes=tuple(draw(passed(upstream)) for upstream in upstreams if draw(st.booleans())),
        environments=draw(st.sampled_from([{}, {"dbt_down": "prod", "crm": "dev"}])),
        owner=draw(st.sampled_from([{}, {"team": "Orders"}])),
    )
    environment = draw(st.sampled_from(["prod", "dev"]))
    return Consumption(consumer=name, environment=environment, usage=usage, failures=tuple(failures))


@st.composite
def following(draw: st.DrawFn, old: Interface) -> Interface:
    """What may come after it: a column that goes, comes or is another one in most of its models, or anything."""
    if draw(st.integers(0, 3)) == 0:
        return draw(interfaces())
    models = [
        msgspec.structs.replace(
            model, columns={k: c for k, c in (model.columns | draw(columns())).items() if k != draw(COLUMNS)}
        )
        for model in old.models
    ]
    return msgspec.structs.replace(old, models=tuple(models))


@st.composite
def meshes(draw: st.DrawFn) -> tuple[Interface, Interface, list[Consumption]]:
    old = draw(interfaces())
    return old, draw(following(old)), draw(st.lists(consumptions(), max_size=4))


MESHES = meshes()
Found = list[tuple[Classified, tuple[Impact, ...]]]


def found(old: Interface, new: Interface, consumers: Iterable[Consumption]) -> Found:
    readership = Readership(old, new, consumers)
    return [(change, impacts(change, readership)) for change in classified(compare(old, new), old, new)]


def verdict(old: Interface, new: Interface, consumers: list[Consumption], **asked: Any) -> Verdict:
    fields: dict[str, Any] = {
        "environment": "prod",
        "names": ("old", "new"),
        "old": old,
        "new": new,
        "found": found(old, new, consumers),
        "readers": Readership(old, new, consumers).readers(),
        "today": TODAY,
    }
    return decide(Question(**fields | asked))


def worst(told: Found) -> dict[tuple[object, ...], Effect]:
    """The effect on each consumer by change, as far as there is one."""
    return {(c.change, i.consumer, i.environment): i.effect for c, impacts in told for i in impacts}


def never_milder(before: Found, after: Found) -> bool:
    now = worst(after)
    return all(EFFECTS.index(now[key]) <= EFFECTS.index(effect) for key, effect in worst(before).items())


@given(interfaces(), st.lists(consumptions(), max_size=3))
def test_where_nothing_changes_nobody_is_reached(here: Interface, consumers: list[Consumption]) -> None:
    told = verdict(here, here, consumers)
    assert (told.answer, told.judged) == ("yes", ())


@given(MESHES, st.randoms(use_true_random=False))
def test_no_order_changes_the_verdict(
    mesh: tuple[Interface, Interface, list[Consumption]], chance: random.Random
) -> None:
    old, new, consumers = mesh

    def mixed(values: Iterable[Any]) -> tuple[Any, ...]:
        listed = list(values)
        return tuple(chance.sample(listed, len(listed)))

    others = [
        Consumption(
            consumer=each.consumer,
            environment=each.environment,
            usage=msgspec.structs.replace(each.usage, reads=mixed(each.usage.reads), passes=mixed(each.usage.passes)),
            failures=mixed(each.failures),
        )
        for each in mixed(consumers)
    ]
    sides = [msgspec.structs.replace(side, models=mixed(side.models)) for side in (old, new)]
    told = verdict(sides[0], sides[1], others, found=mixed(found(sides[0], sides[1], others)))
    assert told == verdict(old, new, consumers)


@given(MESHES, consumptions())
def test_one_more_consumer_takes_no_evidence_away(
    mesh: tuple[Interface, Interface, list[Consumption]], another: Consumption
) -> None:
    old, new, consumers = mesh
    assert never_milder(found(old, new, consumers), found(old, new, [*consumers, another]))


@given(MESHES, COLUMNS, st.randoms(use_true_random=False))
def test_who_reads_more_is_hit_no_less(
    mesh: tuple[Interface, Interface, list[Consumption]], more: str, chance: random.Random
) -> None:
    old, new, consumers = mesh

    def reads_more(read: Read) -> Read:
        if read.is_every or chance.random() < 0.5:
            return read
        named = tuple(sorted({*read.columns, more}))
        return msgspec.structs.replace(read, columns=named, lines=tuple(range(1, len(named) + 1)))

    others = [
        Consumption(
            consumer=each.consumer,
            environment=each.environment,
            usage=msgspec.structs.replace(each.usage, reads=tuple(map(reads_more, each.usage.reads))),
            failures=each.failures,
        )
        for each in consumers
    ]
    assert never_milder(found(old, new, consumers), found(old, new, others))


@given(MESHES)
def test_a_stricter_mode_never_lets_pass_what_a_laxer_one_refuses(
    mesh: tuple[Interface, Interface, list[Consumption]],
) -> None:
    told = {mode: verdict(*mesh, modes=Modes(default=mode)) for mode in MODES}
    outcomes = {mode: {each.change: each.outcome for each in told[mode].judged} for mode in MODES}
    for lax, strict in STRICTER:
        for change, outcome in outcomes[lax].items():
            assert OUTCOMES.index(outcomes[strict][change]) <= OUTCOMES.index(outcome), (lax, strict, change)


@given(MESHES, st.sampled_from(MODES), st.integers(0, 20))
def test_an_approval_lets_its_own_change_pass_and_no_other(
    mesh: tuple[Interface, Interface, list[Consumption]], mode: Mode, which: int
) -> None:
    plain = verdict(*mesh, modes=Modes(default=mode))
    if not plain.judged:
        return
    chosen = plain.judged[which % len(plain.judged)].change
    given_ = Approval(rule=chosen.rule, object=chosen.object, until="2026-12-24", reason="agreed")
    told = {each.change: each for each in verdict(*mesh, modes=Modes(default=mode), approvals=(given_,)).judged}
    for each in plain.judged:
        own = (each.change.rule, each.change.object) == (chosen.rule, chosen.object)
        if own and each.outcome != "allowed":
            assert told[each.change].outcome == "approved"
        else:
            assert told[each.change] == each


@given(MESHES)
def test_the_verdict_hangs_together(mesh: tuple[Interface, Interface, list[Consumption]]) -> None:
    told = verdict(*mesh)
    outcomes = {each.outcome for each in told.judged}
    assert told.answer == ("no" if "refused" in outcomes else "unknown" if "unknown" in outcomes else "yes")
    for each in told.judged:
        assert CLASSES.index(each.kind) <= CLASSES.index(each.classified.kind)
        assert each.kind == borne_out(each.classified.kind, each.impacts)
        assert len({(impact.consumer, impact.environment) for impact in each.impacts}) == len(each.impacts)
        for impact in each.impacts:
            assert impact.effect == impact.reasons[0].effect != "UNAFFECTED"
            assert {reason.rule for reason in impact.reasons} <= REASONS.keys()
            assert len(set(impact.reasons)) == len(impact.reasons)
