"""Numbers in, small publications out, made once: what a history publishes must cost next to nothing."""

from dataclasses import replace
from typing import Final

from registry_tools.mesh.publication import Actor
from registry_tools.mesh.usage import Read, Usage
from registry_tools.registry.layout import edge_key
from registry_tools.registry.publications import Candidate
from tests import builders
from tests.registry import PROJECT
from tests.registry.publishing import publication_id


def _state(k: int) -> bytes | None:
    """Every other publication has one."""
    return f'{{"state": {k}}}'.encode() if k % 2 else None


def _candidate(k: int) -> Candidate:
    read = Read(upstream="crm", model="leads", version="", node=f"model.dbt_up.m{k}", via="ref")
    return builders.candidate(
        builders.interface(builders.public_model(f"orders_{k}")),
        id=publication_id(k),
        usage=Usage(project=PROJECT, reads=(read,)),
        state=_state(k),
        actor=Actor(run=str(k)),
    )


CANDIDATES: Final = tuple(_candidate(k) for k in range(24))
EDGE: Final = edge_key("crm", PROJECT)
STATES: Final = {candidate.id: _state(k) for k, candidate in enumerate(CANDIDATES)}
BY_ID: Final = {candidate.id: candidate for candidate in CANDIDATES}


def impostor(candidate: Candidate) -> Candidate:
    """Another build that came to the same id: it reads other models."""
    return replace(candidate, usage=Usage(project=PROJECT))
