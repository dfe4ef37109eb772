"""An event in a registry, or the report of a refusal, in; the notice of it out, and its delivery to a webhook."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

from registry_tools import webhook
from registry_tools.artifacts.notice_document import encoded, notice_document
from registry_tools.artifacts.notice_slack import notice_slack
from registry_tools.assessment import Owners, readership_of
from registry_tools.checks.classes import classified
from registry_tools.checks.comparison import compare
from registry_tools.checks.impact import impacts
from registry_tools.checks.readership import Readership, owner_of
from registry_tools.checks.secrets import find_leaks
from registry_tools.errors import Refusal, UsageError
from registry_tools.intake.actor import identify_actor
from registry_tools.intake.check_report import ReportedImpact, read_check_report
from registry_tools.mesh.impact import EFFECTS, Effect, Impact
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.notice import Concerned, Difference, Event, Leaving, Notice, notice_id
from registry_tools.mesh.publication import Operation, Record
from registry_tools.mesh.selector import Selector
from registry_tools.mesh.verdict import Classified
from registry_tools.registry.log import Entry
from registry_tools.registry.publications import Registry

# What readers notice of the log; approvals and expiries are nothing to tell everybody.
_EVENTS: Final[Mapping[Operation, Event]] = {"publish": "publication", "rollback": "rollback", "yank": "yank"}
_SLACK: Final = "hooks.slack.com"
_SHOWN: Final = 10

Form = Literal["slack", "json"]
FORMS: Final[tuple[Form, ...]] = ("slack", "json")
_BODIES: Final[Mapping[Form, Callable[[Notice], dict[str, Any]]]] = {"slack": notice_slack, "json": notice_document}


@dataclass(frozen=True, kw_only=True, slots=True)
class NewsRequest:
    """Which event to tell: the record that is selected, or with `departures` what leaves in the next `days` days.

    A publication that changed nothing for readers is told only with `always`. `owners` are those of mesh.yml, which
    knows better than what consumers published.
    """

    selector: Selector
    days: int = 30
    departures: bool = False
    always: bool = False
    owners: Owners = field(default_factory=dict)
    today: date = field(default_factory=lambda: datetime.now(UTC).date())


def gather_news(request: NewsRequest, registry: Registry) -> Notice | None:
    """The notice of the event; None where there is nothing to tell. Raises UsageError when nothing was published."""
    entry = registry.resolve(request.selector)
    if request.departures:
        return _departures(request, registry, entry.record)
    event = _EVENTS.get(entry.record.op)
    if event is None:
        return None
    notice = _told(request, registry, entry, event)
    unchanged = event == "publication" and notice.changes == ()
    return None if unchanged and not request.always else notice


def refusal(path: Path, folder: Path) -> Notice:
    """The notice of what the report in this file refuses, in the name of the job that runs in `folder`.

    Raises DocumentError for what is no report, UsageError for one that refuses nothing.
    """
    report = read_check_report(path)
    if report.answer == "yes":
        raise UsageError("this check refused nothing", where=str(path), then="mesh notify without --refused tells what")
    actor = identify_actor(os.environ, folder)
    changes = tuple(
        Difference(
            rule=one.rule, object=one.object, kind=one.kind, before=one.before, after=one.after, outcome=one.outcome
        )
        for one in report.changes
    )
    told = sorted(f"{one.outcome} {one.rule} {one.object}" for one in changes)
    facts = (report.project, report.environment, report.old, actor.commit or "", *told)
    return Notice(
        id=notice_id("refusal", facts),
        event="refusal",
        project=report.project,
        environment=report.environment,
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        was=report.old,
        now=report.new,
        actor=actor,
        changes=changes,
        concerned=_concerned([impact for one in report.changes for impact in one.impacts], {}, {}),
    )


def form_for(form: Form | None, address: webhook.Address | None) -> Form:
    """The form that was asked for, else the one that this address understands."""
    return form or ("slack" if address is not None and address.host == _SLACK else "json")


def body_of(notice: Notice, form: Form) -> dict[str, Any]:
    """What is sent of the notice. Raises Refusal where it holds what looks like a secret, or is one of this machine."""
    body = _BODIES[form](notice)
    if leaks := find_leaks(encoded(body), os.environ, readers=True):
        raise Refusal(
            "the message would hold what looks like a secret",
            where=notice.id,
            details=[str(leak) for leak in leaks[:_SHOWN]],
            then="take it out of what was published, and change it where it is valid",
        )
    return body


def send(notice: Notice, body: Mapping[str, Any], address: webhook.Address, secret: bytes | None) -> int:
    """Deliver the body, and say how many attempts it took. Raises UsageError or WebhookError (webhook.deliver)."""
    return webhook.deliver(webhook.Message(id=notice.id, body=encoded(body)), address, secret)


def _told(request: NewsRequest, registry: Registry, entry: Entry, event: Event) -> Notice:
    project, environment, record = request.selector.project, request.selector.environment, entry.record
    now, publication = registry.interface(project, environment, record)
    previous = registry.before(project, environment, entry).record if record.n > 1 else None
    was = _interface_before(registry, project, environment, previous, now)
    changes = None if was is None else classified(compare(was, now), was, now)
    readership = readership_of(registry, was or now, now, environment, request.owners)
    leaving = _leaving(now, request)
    return Notice(
        id=notice_id(event, (entry.sha256,)),
        event=event,
        project=project,
        environment=environment,
        time=record.time,
        was=str(previous.publication_in(project, environment)) if previous else None,
        now=str(publication),
        publication=record.publication,
        actor=record.actor,
        reason=record.reason,
        changes=None if changes is None else tuple(map(_difference, changes)),
        leaving=leaving,
        concerned=_everybody(changes or (), readership, leaving),
        days=request.days,
    )


def _departures(request: NewsRequest, registry: Registry, record: Record) -> Notice | None:
    project, environment = request.selector.project, request.selector.environment
    now, publication = registry.interface(project, environment, record)
    leaving = _leaving(now, request)
    if not leaving:
        return None
    facts = (project, environment, *(f"{one.model} {one.day}" for one in leaving))
    return Notice(
        id=notice_id("deprecation", facts),
        event="deprecation",
        project=project,
        environment=environment,
        time=record.time,
        was=str(publication),
        now=str(publication),
        publication=record.current,
        actor=record.actor,
        leaving=leaving,
        concerned=_everybody((), readership_of(registry, now, now, environment, request.owners), leaving),
        days=request.days,
    )


def _interface_before(
    registry: Registry, project: str, environment: str, previous: Record | None, now: Interface
) -> Interface | None:
    """What readers had; nothing public before the first publication, and None where it is no longer kept."""
    if previous is None:
        return Interface(project=project, adapter=now.adapter)
    try:
        return registry.interface(project, environment, previous)[0]
    except UsageError:
        return None


def _leaving(interface: Interface, request: NewsRequest) -> tuple[Leaving, ...]:
    """What is to be gone by the last of the days, what was to be gone before included; the next first."""
    last = (request.today + timedelta(days=request.days)).isoformat()
    dated = ((model.leaves_on, model) for model in interface.models if model.is_dated)
    found = [(day, model) for day, model in dated if day and day <= last]
    return tuple(
        Leaving(model=model.label, day=day, instead=interface.instead_of(model))
        for day, model in sorted(found, key=lambda pair: (pair[0], pair[1].label))
    )


def _difference(one: Classified) -> Difference:
    change = one.change
    return Difference(rule=change.rule, object=change.object, kind=one.kind, before=change.before, after=change.after)


def _everybody(
    changes: Sequence[Classified], readership: Readership, leaving: Sequence[Leaving]
) -> tuple[Concerned, ...]:
    """Who is hurt by a change, and who reads what leaves."""
    going = {one.model for one in leaving}
    reads: dict[tuple[str, str], set[str]] = {}
    for label, held in readership.reads.items():
        for each in held if label in going else ():
            reads.setdefault((each.by.consumer, each.by.environment), set()).add(label)
    owners = {
        place: owner_of([by for by in readership.consumptions if (by.consumer, by.environment) == place])
        for place in reads
    }
    return _concerned([impact for one in changes for impact in impacts(one, readership)], reads, owners)


def _concerned(
    found: Sequence[Impact | ReportedImpact],
    reads: Mapping[tuple[str, str], set[str]],
    owners: Mapping[tuple[str, str], Mapping[str, str]],
) -> tuple[Concerned, ...]:
    """Each consumer once, with the worst that happens to it; the worst hurt first."""
    worst: dict[tuple[str, str], Impact | ReportedImpact] = {}
    for impact in sorted(found, key=lambda impact: EFFECTS.index(impact.effect)):
        if impact.effect != "UNAFFECTED":
            worst.setdefault((impact.consumer, impact.environment), impact)
    return tuple(sorted(_each(worst, reads, owners), key=lambda one: (_badness(one.effect), str(one))))


def _each(
    worst: Mapping[tuple[str, str], Impact | ReportedImpact],
    reads: Mapping[tuple[str, str], set[str]],
    owners: Mapping[tuple[str, str], Mapping[str, str]],
) -> Iterator[Concerned]:
    for place in worst.keys() | reads.keys():
        impact = worst.get(place)
        yield Concerned(
            consumer=place[0],
            environment=place[1],
            effect=impact.effect if impact else None,
            owner=impact.owner if impact else owners[place],
            reads=tuple(sorted(reads.get(place, ()))),
        )


def _badness(effect: Effect | None) -> int:
    return len(EFFECTS) if effect is None else EFFECTS.index(effect)
