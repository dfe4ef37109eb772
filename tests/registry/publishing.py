"""Publications made from a number, and what must hold of a registry whatever happened to it."""

import hashlib
from typing import Any

import msgspec

from registry_tools.mesh.interface import read_interface
from registry_tools.mesh.publication import Actor, Publication, Record
from registry_tools.mesh.usage import Read, Usage
from registry_tools.registry import layout
from registry_tools.registry.log import Log
from registry_tools.registry.objects import ObjectStore
from registry_tools.registry.publications import Candidate, Registry
from tests import builders
from tests.registry import ENVIRONMENT, LATEST, PROJECT


def publication_id(k: int) -> str:
    return f"20260123T06{k // 60:02d}{k % 60:02d}Z-{hashlib.sha256(str(k).encode()).hexdigest()[:12]}"


def moment(k: int) -> str:
    return f"2026-01-23T07:{k // 60 % 60:02d}:{k % 60:02d}.{k:06d}+00:00"


def candidate(k: int, **changes: Any) -> Candidate:
    """The k-th publication: its models, its usage and its state tell which one it is."""
    models = [builders.public_model(f"orders_{k}"), builders.public_model("customers")]
    usage = Usage(
        project=PROJECT, reads=(Read(upstream="crm", model="leads", version="", node=f"model.dbt_up.m{k}", via="ref"),)
    )
    fields: dict[str, Any] = {
        "id": publication_id(k),
        "usage": usage,
        "state": f'{{"state": {k}}}'.encode(),
        "actor": Actor(run=str(k)),
        "time": moment(k),
    }
    return builders.candidate(builders.interface(*models), **fields | changes)


def publish(store: ObjectStore, k: int, **changes: Any) -> tuple[Publication, bool]:
    return Registry(store).publish(candidate(k, **changes), lambda _current: None)


def records(store: ObjectStore) -> list[Record]:
    """The log from its beginning; reading it proves numbers and hashes."""
    return [entry.record for entry in Log(store, PROJECT, ENVIRONMENT).entries()][::-1]


def published(store: ObjectStore) -> list[str]:
    return [record.publication for record in records(store)]


def latest(store: ObjectStore) -> tuple[str, int] | None:
    """The publication that plain readers get and its number, proven complete; None when there is none."""
    stored = store.get(LATEST)
    if stored is None:
        return None
    interface, facts = read_interface(stored.content)
    assert interface.checked().digest == facts["digest"]
    return facts["publication"], facts["n"]


def assert_sound(store: ObjectStore) -> None:
    """Whatever happened: contiguous numbers, a chain that holds, nothing twice, and every reader served."""
    log = records(store)
    assert [record.n for record in log] == list(range(1, len(log) + 1))
    contents = [_bytes(store, layout.log_key(PROJECT, ENVIRONMENT, record.n)) for record in log]
    hashes = [None, *(hashlib.sha256(content).hexdigest() for content in contents)]
    assert [record.previous for record in log] == hashes[:-1]
    assert len({record.publication for record in log}) == len(log)
    for record in log:
        interface, _ = Registry(store).interface(PROJECT, ENVIRONMENT, record)
        assert interface.digest == record.digest
    plain = latest(store)
    if plain is not None:
        assert log[plain[1] - 1].publication == plain[0]


def _bytes(store: ObjectStore, key: str) -> bytes:
    stored = store.get(key)
    assert stored is not None
    assert msgspec.json.decode(stored.content)
    return stored.content
