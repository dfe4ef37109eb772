"""What a consumer uses and what its upstreams publish in, what is wrong with it out."""

import difflib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Final

from registry_tools.mesh.departure import Departure, Wanted
from registry_tools.mesh.interface import Interface, Withheld
from registry_tools.mesh.public_model import PublicModel
from registry_tools.mesh.upstream import SyncedUpstream
from registry_tools.mesh.use import Finding, Place, Use

# Asked for what became of names that an upstream does not publish (registry.departures).
Departures = Callable[[SyncedUpstream, Collection[Wanted]], Mapping[Wanted, Departure]]
# Asked for the access of a model that is not public, where somebody knows it.
Access = Callable[[str, str], str | None]

_COMPUTED: Final = "what is read here is computed when dbt runs"


def judge_uses(
    consumer: str, upstreams: Sequence[SyncedUpstream], uses: Sequence[Use], departures: Departures, today: date
) -> tuple[Finding, ...]:
    """What is wrong with the uses, in their order. `departures` is asked only for upstreams of which one is missing."""
    judge = _Judge(consumer=consumer, today=today)
    found = [finding for synced in upstreams for finding in judge.findings(synced, uses, departures)]
    return tuple(sorted(found, key=lambda finding: (finding.places[0], finding.rule)))


def dynamic_references(upstreams: Sequence[SyncedUpstream], uses: Sequence[Use]) -> tuple[Finding, ...]:
    """A note for each place that may read any model of an upstream."""
    ways = {synced.upstream.function for synced in upstreams}
    return tuple(
        Finding(rule="dynamic-reference", level="note", what=_COMPUTED, places=use.places, upstream=use.upstream)
        for use in uses
        if use.wanted is None and use.way in ways
    )


def with_access(findings: Sequence[Finding], access: Access) -> tuple[Finding, ...]:
    """The findings, those of unknown models said to be of private or protected ones where `access` knows them."""
    return tuple(_with_access(finding, access) if finding.rule == "unknown-model" else finding for finding in findings)


def _with_access(finding: Finding, access: Access) -> Finding:
    known = access(finding.upstream or "", (finding.model or "").partition(".v")[0])
    if known not in {"private", "protected"}:
        return finding
    return Finding(
        rule=f"{known}-model",
        level="error",
        what=f"{finding.upstream}.{finding.model} is {known}",
        then=f"ask {finding.upstream} to make it public, or read a model that is",
        places=finding.places,
        upstream=finding.upstream,
        model=finding.model,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Judge:
    consumer: str
    today: date

    def findings(self, synced: SyncedUpstream, uses: Sequence[Use], departures: Departures) -> Iterator[Finding]:
        mine = [(use, use.wanted) for use in uses if use.wanted and self._is_of(synced, use)]
        there = {wanted: wanted.find(synced.published) for wanted in {wanted for _, wanted in mine}}
        missing = {wanted for wanted, model in there.items() if model is None}
        gone = departures(synced, missing) if missing else {}
        readable = synced.published.granted_to(self.consumer)[0] if synced.withheld else synced.published
        for use, wanted in mine:
            model = there[wanted]
            if model is not None:
                yield from self._public(synced, readable, model, wanted, use.places)
            elif (departure := gone.get(wanted)) and departure.model:
                yield self._left(synced, departure, departure.model, wanted, use.places)
            elif use.upstream is not None:
                yield self._unknown(synced, readable, wanted, gone.get(wanted), use.places)

    def _is_of(self, synced: SyncedUpstream, use: Use) -> bool:
        return use.way == synced.upstream.function and use.upstream in (None, synced.upstream.name)

    def _public(
        self,
        synced: SyncedUpstream,
        readable: Interface,
        model: PublicModel,
        wanted: Wanted,
        places: tuple[Place, ...],
    ) -> Iterator[Finding]:
        name = synced.upstream.name
        finding = partial(Finding, upstream=name, model=wanted.label, places=places)
        withheld = next((each for each in synced.withheld if each.model.unique_id == model.unique_id), None)
        if withheld is not None:
            what = f"{name}.{model.label} may not be read by {self.consumer}"
            yield finding(rule="not-a-consumer", level="error", what=what, then=ask(withheld, self.consumer))
        elif not synced.upstream.wants(model):
            what = f"{name}.{model.label} is used, and mesh.yml leaves it out"
            then = f"correct included and excluded of the upstream {name} in mesh.yml"
            yield finding(rule="left-out", level="error", what=what, then=then)
        elif notice := readable.deprecation_notice(model):
            over = model.leaves_on is not None and model.leaves_on < self.today.isoformat()
            yield finding(rule="model-deprecated", level="error" if over else "warning", what=notice)

    def _left(
        self,
        synced: SyncedUpstream,
        departure: Departure,
        model: PublicModel,
        wanted: Wanted,
        places: tuple[Place, ...],
    ) -> Finding:
        others = any(other.name == model.name for other in synced.published.models)
        shown = {name for each in synced.withheld for name in (each.model.name, each.model.label)}
        instead = departure.instead if departure.instead not in shown else None
        return Finding(
            rule="version-left" if others and model.version is not None else "model-left",
            level="error",
            what=f"{synced.upstream.name}.{model.label} {departure}",
            then=f"use {instead} instead" if instead else f"ask {synced.upstream.name} what replaces it",
            places=places,
            upstream=synced.upstream.name,
            model=wanted.label,
        )

    def _unknown(
        self,
        synced: SyncedUpstream,
        readable: Interface,
        wanted: Wanted,
        departure: Departure | None,
        places: tuple[Place, ...],
    ) -> Finding:
        name = synced.upstream.name
        known = sorted(
            {each for m in readable.models for each in (m.called if wanted.way == "source" else (m.label, m.name))}
        )
        near = difflib.get_close_matches(wanted.label, known, n=1)
        maybe = f"; if it ever was, it left before {departure.time[:10]}" if departure else ""
        return Finding(
            rule="unknown-model",
            level="error",
            what=f"{name}.{wanted.label} is not public{maybe}",
            then=f"did you mean {near[0]}?" if near else f"mesh show {synced.publication} lists what is",
            places=places,
            upstream=name,
            model=wanted.label,
        )


def ask(withheld: Withheld, consumer: str) -> str:
    """Whom to ask for a model that is withheld, and for what."""
    whom = withheld.owner or withheld.model.package_name
    return f"ask {whom} to list {consumer} in its meta.mesh.consumers"
