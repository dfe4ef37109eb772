"""A registry and how long to keep what in, what could go or has gone out, for one project's environment or for all."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from registry_tools.intake.actor import identify_actor
from registry_tools.mesh.publication import Record
from registry_tools.mesh.selector import Selector
from registry_tools.registry.collection import Plan, Retention, collect, plan_collection
from registry_tools.registry.consumers import consumers_of
from registry_tools.registry.publications import Registry


@dataclass(frozen=True, kw_only=True, slots=True)
class Collected:
    """What could go and, where it was carried out, the record that gave publications up and how many objects went."""

    plan: Plan
    record: Record | None = None
    deleted: int | None = None


def collect_waste(
    registry: Registry, chosen: Sequence[Selector], retention: Retention, *, dry_run: bool
) -> Iterator[Collected]:
    """Plan, and unless `dry_run` carry out, the collection of each chosen environment; of all where none is chosen.

    What a consumer says it was built against stays. Raises IntegrityError at a log that does not hold.
    """
    for project, environment in registry.places(chosen):
        pins = {one.usage.pins[project] for one in consumers_of(registry, project) if project in one.usage.pins}
        plan = plan_collection(registry, project, environment, retention, pins)
        if dry_run:
            yield Collected(plan=plan)
            continue
        time = datetime.now(UTC).isoformat(timespec="seconds")
        record, deleted = collect(registry, plan, identify_actor(os.environ, Path()), time)
        yield Collected(plan=plan, record=record, deleted=deleted)
