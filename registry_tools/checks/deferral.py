"""Today's manifest and the state in, what --defer does to each node out, and why it would silently do nothing."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Final

from registry_tools.mesh.deferral import DEFERRABLE, Node, Nodes, Standing
from registry_tools.mesh.lock import Pin
from registry_tools.mesh.observation import Observation

_SYNC: Final = "run mesh sync"


def standings(today: Nodes | None, state: Nodes, upstreams: Collection[str]) -> Iterator[Standing]:
    """What becomes of every node of today's manifest; without one, of every node of the state.

    `upstreams` are the projects whose models are here although nobody builds them here.
    """
    shown = today or state
    for unique_id, node in chain(shown.nodes.items(), shown.sources.items()):
        found = _standing(unique_id, node, state, known=today is not None)
        if found.fate == "new" and node.package_name in upstreams:
            found = replace(found, fate="never", why=f"it is not in the state, and read where it is, {node.place}")
        yield found


def find_silence(
    project: str, today: Nodes | None, state: Nodes, shown: Sequence[Standing], pins: Mapping[str, Pin]
) -> Iterator[Observation]:
    """Each reason why dbt would defer nothing, or to somewhere else, and say nothing about it.

    `shown` are the nodes that were asked about, `pins` those of mesh.lock.
    """
    current = today or state
    if state.project not in (project, None):
        what = f"it is the state of {state.project}: dbt defers nothing of {project} to it, and does not say so"
        yield _warning("foreign-state", what, f"{_SYNC}, which writes the state of {project}")
    elif not any(node.package_name == project for node in _common(current, state)):
        what = f"no node of {project} is in it: everything is new"
        yield _warning("nothing-in-common", what, f"build and publish {project} once, then {_SYNC}")
    if today is not None and state.adapter and today.adapter and state.adapter != today.adapter:
        what = f"it is of {state.adapter}, and target/manifest.json is of {today.adapter}"
        yield _warning("other-adapter", what, f"publish {project} from {today.adapter}, then {_SYNC}")
    yield from _sources_only(project, current, [standing.unique_id for standing in shown])
    yield from _stale(today, state, pins)
    deferred = [standing for standing in shown if standing.fate == "defers"]
    if today is not None and deferred and not any(standing.is_moved for standing in deferred):
        what = "all that it defers to is where your target has it, too: with this target --defer changes nothing"
        yield _warning("same-place", what, "dbt parse --target ... for the target that you build in, and ask again")


def _standing(unique_id: str, node: Node, state: Nodes, *, known: bool) -> Standing:
    before = state.nodes.get(unique_id)
    target = node.place if known else None
    found = Standing(unique_id=unique_id, label=node.label, kind=node.resource_type, fate="never", target=target)
    if node.resource_type == "source":
        return replace(found, why=f"a source is read where it is, {node.place}")
    if node.resource_type not in DEFERRABLE:
        return replace(found, target=None, why=f"nothing refers to a {node.resource_type}")
    if node.is_ephemeral or (before is not None and before.is_ephemeral):
        where = "" if node.is_ephemeral else " in the state"
        why = f"it is ephemeral{where}, and its SQL is part of whoever reads it"
        return replace(found, target=None if node.is_ephemeral else target, why=why)
    if before is None:
        return replace(found, fate="new")
    is_moved = not known or not state.same_place(node, before)
    return replace(found, fate="defers", deferred=before.place, is_moved=is_moved)


def _common(current: Nodes, state: Nodes) -> Iterator[Node]:
    return (node for uid, node in current.nodes.items() if uid in state.nodes and node.resource_type in DEFERRABLE)


def _sources_only(project: str, current: Nodes, chosen: Collection[str]) -> Iterator[Observation]:
    """Models that read nothing but sources have no parent that could be deferred."""
    models = [
        current.nodes[uid]
        for uid in chosen
        if uid in current.nodes
        and current.nodes[uid].resource_type == "model"
        and current.nodes[uid].package_name == project
    ]
    parents = [parent for model in models for parent in model.depends_on.nodes]
    if parents and all(parent.startswith("source.") for parent in parents):
        whose = models[0].label if len(models) == 1 else f"{project}'s models"
        what = f"sources are all that is read by {whose}, and dbt never defers a source"
        yield _warning(
            "sources-only", what, "write as: package (or loom) in mesh.yml where upstream should be deferred"
        )


def _stale(today: Nodes | None, state: Nodes, pins: Mapping[str, Pin]) -> Iterator[Observation]:
    """Upstreams that are another publication in the state than in mesh.lock, or elsewhere than in today's manifest."""
    if state.origin is not None:
        digests = {name: pin.digest for name, pin in pins.items()}
        for name in sorted(digests.keys() | state.origin.upstreams.keys()):
            if digests.get(name) != state.origin.upstreams.get(name):
                what = f"{name} in it is not what mesh.lock pins"
                yield _warning("stale-upstream", what, _SYNC)
    if today is None:
        return
    for unique_id, node in chain(today.nodes.items(), today.sources.items()):
        theirs = node.stands_for or unique_id
        before = state.nodes.get(theirs)
        if before is None and node.package_name in pins and node.resource_type in DEFERRABLE:
            yield _warning("stale-upstream", f"{node.package_name}.{node.label} is not in it", _SYNC)
        if before is None or before.package_name not in pins or state.same_place(node, before):
            continue
        what = f"{before.package_name}.{before.label} is {before.place} in it, and is read from {node.place} here"
        yield _warning("stale-upstream", what, f"{_SYNC}, then dbt parse")


def _warning(check: str, what: str, then: str) -> Observation:
    return Observation(area="state", check=check, verdict="warning", what=what, then=then)
