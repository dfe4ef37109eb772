"""Bytes that somebody else changed are never given to a reader: each file and each record says so."""

from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest

from registry_tools.errors import IntegrityError, MeshError, RegistryError
from registry_tools.mesh.publication import Record
from registry_tools.registry import layout, packing, publications
from registry_tools.registry.log import Log, encode_record
from registry_tools.registry.memory import MemoryStore
from registry_tools.registry.objects import StoredObject
from registry_tools.registry.publications import Registry
from tests.registry import ENVIRONMENT, PROJECT
from tests.registry.publishing import candidate, publication_id, publish, records

READS: dict[str, Callable[[Registry], object]] = {
    layout.MANIFEST: lambda r: r.interface(PROJECT, ENVIRONMENT, r.require(PROJECT, ENVIRONMENT)),
    layout.USAGE: lambda r: r.usage(PROJECT, ENVIRONMENT),
    layout.STATE: lambda r: r.current_with_state(PROJECT, ENVIRONMENT)[1],
}
DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "one bit": lambda content: content[:-1] + bytes([content[-1] ^ 1]),
    "cut off": lambda content: content[: len(content) // 2],
    "emptied": lambda _content: b"",
    "longer": lambda content: content + b" ",
    "another's": lambda content: content.replace(b"3", b"1"),
}
JUNK = [b"", b"{", b"null", b"[]", b"\xff\xfe", b'{"n": 3}', b"[" * 60_000, b'{"x":' * 10_000, b" " * 70_000]


@pytest.fixture
def store() -> MemoryStore:
    """Three publications."""
    memory = MemoryStore()
    for k in (1, 2, 3):
        publish(memory, k)
    return memory


def overwrite(store: MemoryStore, key: str, content: bytes) -> None:
    assert key in store._objects
    assert store._objects[key].content != content
    store._objects[key] = StoredObject(content=content, tag="forged")


def log_key(n: int) -> str:
    return layout.log_key(PROJECT, ENVIRONMENT, n)


def forge(store: MemoryStore, place: int, **changes: object) -> None:
    """The record at this place, valid in itself, with other contents."""
    record: Record = msgspec.structs.replace(records(store)[place - 1], **changes)
    overwrite(store, log_key(place), encode_record(record))


def expect(act: Callable[[], object], key: str) -> None:
    with pytest.raises(IntegrityError) as caught:
        act()
    assert key in str(caught.value)
    assert "\n  next: " in str(caught.value)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("file", READS)
def test_a_file_with_other_bytes_is_not_read(store: MemoryStore, file: str, damage: str) -> None:
    key = layout.history_key(PROJECT, ENVIRONMENT, publication_id(3), file)
    standing = store.get(key)
    assert standing is not None
    if damage == "another's":
        other = store.get(layout.history_key(PROJECT, ENVIRONMENT, publication_id(2), file))
        assert other is not None
        overwrite(store, key, other.content)
    else:
        overwrite(store, key, DAMAGE[damage](standing.content))
    expect(lambda: READS[file](Registry(store)), key)


@pytest.mark.parametrize("file", READS)
def test_a_file_that_is_gone_is_missed(store: MemoryStore, file: str) -> None:
    key = layout.history_key(PROJECT, ENVIRONMENT, publication_id(3), file)
    del store._objects[key]
    expect(lambda: READS[file](Registry(store)), key)


@pytest.mark.parametrize("junk", JUNK, ids=range(len(JUNK)))
@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_record_that_is_none_is_found(store: MemoryStore, n: int, junk: bytes) -> None:
    overwrite(store, log_key(n), junk)
    log = Log(store, PROJECT, ENVIRONMENT)
    expect(lambda: log.entry(n), log_key(n))
    expect(lambda: list(log.entries()), log_key(n))


@pytest.mark.parametrize(
    "changes",
    [
        {"time": "2030-01-01T00:00:00+00:00"},
        {"current": publication_id(3)},
        {"publication": publication_id(3), "current": publication_id(3)},
        {"digest": "0" * 64},
        {"files": {}},
        {"op": "rollback"},
    ],
)
@pytest.mark.parametrize("n", [1, 2])
def test_a_forged_record_below_the_newest_is_found(store: MemoryStore, n: int, changes: dict[str, object]) -> None:
    forge(store, n, **changes)
    expect(lambda: list(Log(store, PROJECT, ENVIRONMENT).entries()), log_key(n))


@pytest.mark.parametrize("n", [1, 2, 4, 0, -1])
def test_a_record_under_another_number_is_found(store: MemoryStore, n: int) -> None:
    forge(store, 3, n=n)
    expect(lambda: Registry(store).require(PROJECT, ENVIRONMENT), log_key(3))


@pytest.mark.parametrize("n", [1, 2])
def test_a_record_that_is_gone_is_missed(store: MemoryStore, n: int) -> None:
    del store._objects[log_key(n)]
    expect(lambda: list(Log(store, PROJECT, ENVIRONMENT).entries()), log_key(n))


def test_a_record_that_names_nobody_before_it_does_not_end_the_chain(store: MemoryStore) -> None:
    forge(store, 3, previous=None)
    forge_unchecked = msgspec.json.decode(_content(store, log_key(2)), type=Record)
    overwrite(store, log_key(2), encode_record(msgspec.structs.replace(forge_unchecked, digest="0" * 64)))
    with pytest.raises(IntegrityError):
        list(Log(store, PROJECT, ENVIRONMENT).entries())


def test_the_first_record_names_nobody_before_it() -> None:
    only = MemoryStore()
    publish(only, 1)
    forge(only, 1, previous="0" * 64)
    expect(lambda: list(Log(only, PROJECT, ENVIRONMENT).entries()), log_key(1))


@pytest.mark.parametrize("changes", [{"digest": "0" * 64}, {"current": publication_id(9)}, {"files": {}}])
def test_a_forged_newest_record_does_not_lead_readers_astray(store: MemoryStore, changes: dict[str, object]) -> None:
    forge(store, 3, **changes)
    with pytest.raises(IntegrityError):
        READS[layout.MANIFEST](Registry(store))


@pytest.mark.parametrize("current", ["../../other", "", "latest", publication_id(3) + "/..", publication_id(3) + "\n"])
def test_a_record_leads_to_no_key_outside_its_history(store: MemoryStore, current: str) -> None:
    forge(store, 3, current=current)
    expect(lambda: Registry(store).require(PROJECT, ENVIRONMENT), log_key(3))


def test_a_record_of_a_later_format_asks_for_an_update(store: MemoryStore) -> None:
    forge(store, 3, format=2)
    with pytest.raises(RegistryError, match="next: update registry-tools"):
        Registry(store).require(PROJECT, ENVIRONMENT)


@pytest.mark.parametrize("name", ["0.json", "000000000000", "0000-note.txt", "000000000000/x.json"])
def test_what_is_no_record_in_a_log_is_found(store: MemoryStore, name: str) -> None:
    key = layout.log_prefix(PROJECT, ENVIRONMENT) + name
    store.create(key, b"{}")
    with pytest.raises(IntegrityError, match="next: "):
        Registry(store).require(PROJECT, ENVIRONMENT)


def test_keys_of_another_project_under_this_name_are_refused(store: MemoryStore) -> None:
    for key in list(store.keys(f"{PROJECT}/")):
        store.create(key.replace(PROJECT, "dbt_other", 1), _content(store, key))
    with pytest.raises(IntegrityError, match="not the one that was recorded"):
        Registry(store).interface("dbt_other", ENVIRONMENT, Registry(store).require("dbt_other", ENVIRONMENT))


def test_another_file_under_our_id_stops_the_publication(store: MemoryStore) -> None:
    key = layout.history_key(PROJECT, ENVIRONMENT, publication_id(4), layout.MANIFEST)
    store.create(key, b"{}")
    expect(lambda: publish(store, 4), key)
    assert len(records(store)) == 3


def test_what_unpacks_to_more_than_the_limit_is_refused(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(store, 4, state=b"0" * 100_000)
    monkeypatch.setattr(packing, "_MAX_UNPACKED", 50_000)
    with pytest.raises(MeshError):
        Registry(store).current_with_state(PROJECT, ENVIRONMENT)[1]


def test_what_was_packed_by_nobody_of_ours_is_refused(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The digest holds and the bytes are no zstandard: a publisher of another make."""
    with monkeypatch.context() as patched:
        patched.setattr(publications, "packed", lambda content: content)
        asked = replace(candidate(4), state=b"no zstandard")
        Registry(store).publish(asked, lambda _current: None)
    for read in (READS[layout.STATE], READS[layout.USAGE]):
        with pytest.raises(MeshError):
            read(Registry(store))


def _content(store: MemoryStore, key: str) -> bytes:
    stored = store.get(key)
    assert stored is not None
    return stored.content


def test_a_record_that_was_bent_is_told_by_itself(store: MemoryStore) -> None:
    """Before anything can follow upon it: whatever byte is another one, the seal does not hold."""
    whole = _content(store, log_key(3))
    for place in range(len(whole)):
        bent = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
        overwrite(store, log_key(3), bent)
        with pytest.raises(IntegrityError):
            Registry(store).require(PROJECT, ENVIRONMENT)


def test_a_record_that_the_network_bent_is_asked_for_again(store: MemoryStore) -> None:
    whole = _content(store, log_key(3))

    class Bending(MemoryStore):
        times = 2

        def get(self, key: str) -> StoredObject | None:
            found = store.get(key)
            if found is None or "/log/" not in key or not self.times:
                return found
            self.times -= 1
            return StoredObject(content=found.content[:-9] + b"x" + found.content[-8:], tag=found.tag)

    bending = Bending()
    assert Log(bending, PROJECT, ENVIRONMENT).entry(3) == Log(store, PROJECT, ENVIRONMENT).entry(3)
    assert _content(store, log_key(3)) == whole
