"""What a publication puts into a registry, and that everything is read back as it was."""

import hashlib

import pytest

from registry_tools.errors import UsageError
from registry_tools.mesh.publication import Record
from registry_tools.registry import layout
from registry_tools.registry.log import Log
from registry_tools.registry.memory import MemoryStore
from registry_tools.registry.packing import unpacked
from registry_tools.registry.publications import Registry
from tests.registry import ENVIRONMENT, LATEST, PROJECT
from tests.registry.publishing import assert_sound, candidate, latest, publication_id, publish, published, records


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def test_numbers_run_from_one_without_a_gap(store: MemoryStore) -> None:
    numbers = [publish(store, k)[0].n for k in range(1, 13)]
    assert numbers == list(range(1, 13))
    assert_sound(store)


def test_each_record_names_the_hash_of_the_one_before(store: MemoryStore) -> None:
    for k in (1, 2, 3):
        publish(store, k)
    contents = [stored.content for n in (1, 2) if (stored := store.get(layout.log_key(PROJECT, ENVIRONMENT, n)))]
    hashes = [hashlib.sha256(content).hexdigest() for content in contents]
    assert [record.previous for record in records(store)] == [None, *hashes]


def test_the_newest_is_found_by_the_first_key(store: MemoryStore) -> None:
    for k in range(1, 12):
        publish(store, k)
    newest = Log(store, PROJECT, ENVIRONMENT).newest()
    assert newest is not None
    assert newest.record.n == 11
    first = store.first(layout.log_prefix(PROJECT, ENVIRONMENT))
    assert first is not None
    assert first.key == layout.log_key(PROJECT, ENVIRONMENT, 11)


def test_everything_is_read_back_as_it_was_published(store: MemoryStore) -> None:
    asked, registry = candidate(7), Registry(store)
    publication, is_new = registry.publish(asked, lambda _current: None)
    record = registry.require(PROJECT, ENVIRONMENT)
    assert is_new
    assert registry.interface(PROJECT, ENVIRONMENT, record) == (asked.interface, publication)
    assert registry.usage(PROJECT, ENVIRONMENT) == asked.usage
    assert registry.current_with_state(PROJECT, ENVIRONMENT)[1] == unpacked(asked.state or b"")
    assert registry.current(PROJECT, ENVIRONMENT) == publication
    assert registry.consumers("crm") == [PROJECT]
    assert registry.consumers("cr") == []
    assert publication.actor == asked.actor
    assert publication.published_at == asked.time
    assert latest(store) == (asked.id, 1)


def test_the_keys_are_those_of_the_layout(store: MemoryStore) -> None:
    publish(store, 1)
    home = f"{PROJECT}/{ENVIRONMENT}"
    assert list(store.keys("")) == [
        f"_edges/crm/{PROJECT}",
        f"_private/{home}/{publication_id(1)}.json.zst",
        f"{home}/history/{publication_id(1)}/manifest.json",
        f"{home}/history/{publication_id(1)}/usage.json.zst",
        f"{home}/latest/manifest.json",
        f"{home}/log/999999999998.json",
    ]


def test_without_a_state_there_is_none_and_no_private_key(store: MemoryStore) -> None:
    publish(store, 1, state=None)
    assert Registry(store).current_with_state(PROJECT, ENVIRONMENT)[1] is None
    assert list(store.keys("_private/")) == []


def test_before_the_first_publication_there_is_nothing_to_read(store: MemoryStore) -> None:
    registry = Registry(store)
    assert registry.current(PROJECT, ENVIRONMENT) is None
    assert registry.current_with_state(PROJECT, ENVIRONMENT)[1] is None
    assert registry.usage(PROJECT, ENVIRONMENT) is None
    with pytest.raises(UsageError, match="the registry is empty"):
        registry.require(PROJECT, ENVIRONMENT)


def test_who_is_not_there_is_told_who_is(store: MemoryStore) -> None:
    publish(store, 1)
    with pytest.raises(UsageError, match="dbt_upp has published nothing; there is dbt_up"):
        Registry(store).require("dbt_upp", ENVIRONMENT)
    with pytest.raises(UsageError, match="nothing in 'staging'; there is prod"):
        Registry(store).require(PROJECT, "staging")


def test_files_without_a_record_are_no_environment(store: MemoryStore) -> None:
    """A first publisher that crashed before its commit leaves files; nobody is sent there."""
    store.create(layout.history_key(PROJECT, ENVIRONMENT, publication_id(1), layout.MANIFEST), b"{}")
    with pytest.raises(UsageError) as caught:
        Registry(store).require(PROJECT, ENVIRONMENT)
    assert "there is prod" not in str(caught.value)
    assert "--env prod, or" not in str(caught.value)


def test_publishing_twice_is_one_record_and_writes_nothing(store: MemoryStore) -> None:
    first, _ = publish(store, 1)
    before = {key: store.get(key) for key in store.keys("")}
    assert publish(store, 1, time="2030-01-01T00:00:00+00:00") == (first, False)
    assert {key: store.get(key) for key in store.keys("")} == before


def test_an_older_publication_again_is_recognised_and_latest_stays(store: MemoryStore) -> None:
    for k in (1, 2, 3):
        publish(store, k)
    again, is_new = publish(store, 1, time="2030-01-01T00:00:00+00:00")
    assert (again.id, again.n, is_new) == (publication_id(1), 1, False)
    assert published(store) == [publication_id(k) for k in (1, 2, 3)]
    assert latest(store) == (publication_id(3), 3)


def test_a_check_sees_what_readers_have_now(store: MemoryStore) -> None:
    seen: list[int | None] = []

    def check(current: Record | None) -> None:
        seen.append(current.n if current else None)

    for k in (1, 2):
        Registry(store).publish(candidate(k), check)
    assert seen == [None, 1]


def test_a_check_that_declines_leaves_nothing(store: MemoryStore) -> None:
    def check(_current: Record | None) -> None:
        raise UsageError("no", then="mend it")

    with pytest.raises(UsageError):
        Registry(store).publish(candidate(1), check)
    assert list(store.keys("")) == []


def test_environments_and_projects_do_not_see_each_other(store: MemoryStore) -> None:
    publish(store, 1)
    publish(store, 2, environment="staging")
    assert published(store) == [publication_id(1)]
    assert Registry(store).projects() == [PROJECT]
    assert Registry(store).environments(PROJECT) == ["prod", "staging"]


@pytest.mark.parametrize("torn", [b"", b"{", b"null", b"\xff\xfe", b'{"metadata": {"mesh": {"n": "x"}}}', b"[1]"])
def test_a_torn_latest_is_repaired_by_the_next_publisher(store: MemoryStore, torn: bytes) -> None:
    store.create(LATEST, torn)
    publish(store, 1)
    assert latest(store) == (publication_id(1), 1)


@pytest.mark.parametrize("torn", [b'{"metadata": {"project_name": "\xff"}}', b'{"\xff": 1}', b"[" * 100_000])
def test_a_latest_that_was_never_text_is_repaired_too(store: MemoryStore, torn: bytes) -> None:
    store.create(LATEST, torn)
    publish(store, 1)
    assert latest(store) == (publication_id(1), 1)
