"""What a machine remembers: an unchanged log costs one request, a rewritten one is told, the cache is never trusted."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from registry_tools.errors import IntegrityError, RegistryError, UsageError
from registry_tools.mesh.publication import Actor, Approval
from registry_tools.mesh.selector import Selector
from registry_tools.registry import layout
from registry_tools.registry.amendments import Amendment, approve
from registry_tools.registry.cache import Cache, Head, cache_folder
from registry_tools.registry.consumers import consumers_beyond, consumers_of
from registry_tools.registry.log import encode_record
from registry_tools.registry.memory import MemoryStore
from registry_tools.registry.objects import ObjectFacts, StoredObject
from registry_tools.registry.publications import Registry
from tests.registry import ENVIRONMENT, PROJECT
from tests.registry.corruptions import Clocked, forged, go_back, log_key, rewrite, sha256
from tests.registry.publishing import moment, publication_id, publish, records

DAY = 24 * 3600


class Counted(Clocked):
    """A store that tells every call."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []

    def get(self, key: str) -> StoredObject | None:
        self.calls.append(f"get {key}")
        return super().get(key)

    def head(self, key: str) -> ObjectFacts | None:
        self.calls.append(f"head {key}")
        return super().head(key)

    def first(self, prefix: str) -> ObjectFacts | None:
        self.calls.append(f"first {prefix}")
        found = min((key for key in self._objects if key.startswith(prefix)), default=None)
        return MemoryStore.head(self, found) if found else None

    def keys(self, prefix: str) -> Iterator[str]:
        self.calls.append(f"keys {prefix}")
        return super().keys(prefix)

    def folders(self, prefix: str) -> list[str]:
        self.calls.append(f"folders {prefix}")
        return super().folders(prefix)

    def told(self) -> list[str]:
        told, self.calls = self.calls, []
        return told


FIRST = f"first {layout.log_prefix(PROJECT, ENVIRONMENT)}"


@pytest.fixture
def store() -> Counted:
    counted = Counted()
    for k in (1, 2, 3):
        publish(counted, k)
    counted.told()
    return counted


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def registry(store: Counted, cache: Cache) -> Registry:
    return Registry(store, cache=cache)


def read(registry: Registry) -> tuple[object, ...]:
    """Everything that a sync reads of an upstream."""
    newest = registry.newest(PROJECT, ENVIRONMENT)
    assert newest is not None
    made = registry.made_current(PROJECT, ENVIRONMENT, newest)
    interface, publication = registry.interface(PROJECT, ENVIRONMENT, newest.record)
    return interface, str(publication), publication.id, registry.usage(PROJECT, ENVIRONMENT), made.sha256


def approve_something(store: Counted, k: int = 1) -> None:
    amendment = Amendment(project=PROJECT, environment=ENVIRONMENT, actor=Actor(), time=moment(3500), reason="ok")
    approval = Approval(rule="r", object=f"dbt_up.m{k}", until="2027-01-01", reason="ok")
    approve(Registry(store), amendment, approval)
    store.told()


# -- what it costs -----------------------------------------------------------------------------------------------------


def test_an_unchanged_log_costs_one_request(store: Counted, registry: Registry) -> None:
    first = read(registry)
    files = [layout.history_key(PROJECT, ENVIRONMENT, publication_id(3), file) for file in layout.FILES[:2]]
    assert store.told() == [FIRST, f"get {log_key(3)}", f"get {files[0]}", FIRST, f"get {files[1]}"]
    newest = registry.newest(PROJECT, ENVIRONMENT)
    assert newest is not None
    assert registry.interface(PROJECT, ENVIRONMENT, newest.record)[0] == first[0]
    assert store.told() == [FIRST]


def test_a_log_that_moved_costs_the_new_record_the_old_one_and_the_new_files(
    store: Counted, registry: Registry
) -> None:
    read(registry)
    publish(store, 4)
    store.told()
    registry.interface(PROJECT, ENVIRONMENT, registry.require(PROJECT, ENVIRONMENT))
    manifest = layout.history_key(PROJECT, ENVIRONMENT, publication_id(4), layout.MANIFEST)
    assert store.told() == [FIRST, f"get {log_key(4)}", f"get {log_key(3)}", f"get {manifest}"]


def test_an_approval_costs_two_records_once_and_nothing_the_second_time(store: Counted, registry: Registry) -> None:
    """It moves the newest number and changes nothing for readers, who pin the record that made it current."""
    before = read(registry)
    approve_something(store)
    assert read(registry) == before
    assert {call for call in store.told() if call.startswith("get")} == {f"get {log_key(n)}" for n in (3, 4)}
    assert read(registry) == before
    assert set(store.told()) == {FIRST}


def test_without_a_cache_nothing_is_remembered(store: Counted) -> None:
    assert read(Registry(store)) == read(Registry(store))
    assert len(set(store.told())) == 4


def test_the_same_bytes_under_another_tag_are_asked_for_again_and_are_no_rewriting(
    store: Counted, registry: Registry
) -> None:
    """A bucket that was copied to another one keeps its bytes and has other tags."""
    read(registry)
    content = store.content(log_key(3))
    store.drop(log_key(3))
    store.put(log_key(3), content)
    read(registry)
    assert f"get {log_key(3)}" in store.told()


# -- a log that was rewritten ------------------------------------------------------------------------------------------


def continued_otherwise(store: Counted) -> None:
    rewrite(store, 2)
    publish(store, 4)


REWRITTEN: dict[str, tuple[Callable[[Counted], object], str]] = {
    "fewer records": (lambda s: go_back(s, 2), "it had 3 records and has 2"),
    "no record": (lambda s: go_back(s, 0), "it had 3 records and has none"),
    "another one at the same number": (lambda s: rewrite(s, 3), "record 3 has other bytes than it had"),
    "more records with another history": (continued_otherwise, "record 3 has other bytes than it had"),
}


@pytest.mark.parametrize("how", REWRITTEN)
def test_a_rewritten_log_is_an_error_that_names_the_file_to_remove(
    store: Counted, registry: Registry, cache: Cache, how: str
) -> None:
    read(registry)
    act, says = REWRITTEN[how]
    act(store)
    for _ in range(2):
        with pytest.raises(IntegrityError, match=f"the log of dbt_up@prod was rewritten: {says}") as caught:
            registry.newest(PROJECT, ENVIRONMENT)
    head = cache.head_path("memory", PROJECT, ENVIRONMENT)
    assert f"rm {head}" in caught.value.then
    assert "delete mesh.lock" in caught.value.then
    assert head.is_file()
    head.unlink()
    registry.newest(PROJECT, ENVIRONMENT)


def test_the_record_that_was_seen_is_gone_below_a_newer_one(store: Counted, registry: Registry) -> None:
    read(registry)
    publish(store, 4)
    store.drop(log_key(3))
    with pytest.raises(IntegrityError, match="is gone"):
        registry.newest(PROJECT, ENVIRONMENT)


def test_environments_projects_and_stores_are_remembered_apart(registry: Registry, cache: Cache) -> None:
    read(registry)
    assert registry.newest(PROJECT, "staging") is None
    assert registry.newest("dbt_other", ENVIRONMENT) is None

    class Other(Counted):
        identity = "another memory"

    assert Registry(Other(), cache=cache).newest(PROJECT, ENVIRONMENT) is None


def test_a_chain_that_does_not_hold_is_not_pinned(store: Counted) -> None:
    approve_something(store)
    store.put(log_key(3), forged(store, 3, reason="forged"))
    newest = Registry(store).newest(PROJECT, ENVIRONMENT)
    assert newest is not None
    with pytest.raises(IntegrityError, match="record 3 is not the one"):
        Registry(store).made_current(PROJECT, ENVIRONMENT, newest)


@pytest.mark.parametrize("since", [-1, 5, 99])
def test_a_record_made_current_by_one_that_cannot_be_is_refused(store: Counted, since: int) -> None:
    store.put(log_key(3), forged(store, 3, since=since))
    with pytest.raises(IntegrityError, match="it follows upon record"):
        Registry(store).newest(PROJECT, ENVIRONMENT)


@pytest.mark.parametrize("time", ["2026-01-23T07:00:00", "yesterday", ""])
def test_a_record_of_no_known_time_is_refused(store: Counted, time: str) -> None:
    store.put(log_key(3), forged(store, 3, time=time))
    with pytest.raises(IntegrityError, match="not a record"):
        Registry(store).newest(PROJECT, ENVIRONMENT)


def test_a_chain_that_ends_too_early_is_refused(store: Counted) -> None:
    store.put(log_key(3), forged(store, 3, since=1, previous=None))
    newest = Registry(store).newest(PROJECT, ENVIRONMENT)
    assert newest is not None
    with pytest.raises(IntegrityError, match="it names no predecessor"):
        Registry(store).made_current(PROJECT, ENVIRONMENT, newest)


# -- a cache that is damaged, or cannot be written ---------------------------------------------------------------------


def damage(cache: Cache, content: bytes, *below: str) -> int:
    found = [path for part in below for path in (cache.folder / part).rglob("*") if path.is_file()]
    for path in found:
        path.write_bytes(content)
    return len(found)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b'{"n": "x"}'], ids=range(6))
def test_a_damaged_cache_counts_as_absent_and_is_mended(
    store: Counted, registry: Registry, cache: Cache, content: bytes
) -> None:
    before = read(registry)
    store.told()
    assert damage(cache, content, "sha256", "heads") == 4
    assert read(registry) == before
    assert f"get {log_key(3)}" in store.told()
    registry.newest(PROJECT, ENVIRONMENT)
    assert store.told() == [FIRST]


@pytest.mark.parametrize("part", ["sha256", "heads"])
def test_half_a_cache_is_none(registry: Registry, cache: Cache, part: str) -> None:
    before = read(registry)
    assert damage(cache, b"junk", part)
    assert read(registry) == before


def test_folders_where_files_belong_count_as_absent(registry: Registry, cache: Cache) -> None:
    before = read(registry)
    for path in [path for path in cache.folder.rglob("*") if path.is_file()]:
        path.unlink()
        path.mkdir()
    assert read(registry) == before


def test_a_cache_that_cannot_be_written_works(store: Counted, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    registry = Registry(store, cache=Cache(tmp_path / "file" / "cache"))
    assert read(registry) == read(registry) == read(Registry(store))
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_cache_that_can_only_be_read_works_also_when_it_is_old(
    store: Counted, registry: Registry, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files cannot be touched; what they hold is as good as it was."""
    before = read(registry)
    old = time.time() - 20 * DAY
    for path in cache.folder.rglob("*"):
        if path.is_file():
            os.utime(path, (old, old))

    def refuse(*_words: object, **_more: object) -> None:
        raise PermissionError(30, "Read-only file system")

    monkeypatch.setattr("registry_tools.registry.cache.os.utime", refuse)
    monkeypatch.setattr("registry_tools.registry.cache.write_whole", refuse)
    assert read(Registry(store, cache=cache, offline=True)) == before


def test_a_digest_that_is_none_leads_nowhere(cache: Cache) -> None:
    cache.folder.mkdir()
    (cache.folder.parent / "secret").write_text("secret")
    for digest in ("../../secret", "", "..", "0" * 64):
        assert cache.blob(digest) is None


# -- what is not read goes ---------------------------------------------------------------------------------------------


def aged(path: Path, days: float) -> Path:
    then = time.time() - days * DAY
    os.utime(path, (then, then))
    return path


def test_what_nobody_reads_for_a_month_goes_when_something_is_kept_beside_it(cache: Cache) -> None:
    contents = [str(k).encode() for k in range(1000)]
    beside = [each for each in contents if sha256(each)[:2] == sha256(contents[0])[:2]]
    unread, used, new = beside[:3]
    for content in (unread, used):
        cache.keep(sha256(content), content)
        aged(cache._blob_path(sha256(content)), 29)
    assert cache.blob(sha256(used)) == used
    cache.keep(sha256(new), new)
    assert [cache.blob(sha256(each)) for each in (unread, used, new)] == [unread, used, new]
    aged(cache._blob_path(sha256(unread)), 31)
    cache.keep(sha256(new), new)
    assert [cache.blob(sha256(each)) for each in (unread, used, new)] == [None, used, new]


def test_a_head_is_not_forgotten(cache: Cache) -> None:
    cache.remember("memory", PROJECT, ENVIRONMENT, Head(n=1, sha256="0" * 64, tag="t", seen=0.0))
    aged(cache.head_path("memory", PROJECT, ENVIRONMENT), 400)
    cache.keep(sha256(b"x"), b"x")
    assert cache.head("memory", PROJECT, ENVIRONMENT) is not None


# -- several at once ---------------------------------------------------------------------------------------------------


def test_many_readers_share_one_cache_while_a_publisher_goes_on(store: Counted, cache: Cache) -> None:
    failures: list[BaseException] = []

    def reader() -> None:
        try:
            for _ in range(10):
                read(Registry(store, cache=cache))
        except BaseException as error:  # noqa: BLE001  # a thread's failure is the test's
            failures.append(error)

    threads = [threading.Thread(target=reader) for _ in range(4)]
    for thread in threads:
        thread.start()
    for k in range(4, 10):
        publish(store, k)
    for thread in threads:
        thread.join()
    assert failures == []
    assert read(Registry(store, cache=cache)) == read(Registry(store))


def test_a_reader_that_was_slower_to_write_its_head_does_no_harm(
    store: Counted, registry: Registry, cache: Cache
) -> None:
    registry.newest(PROJECT, ENVIRONMENT)
    earlier = cache.head("memory", PROJECT, ENVIRONMENT)
    assert earlier is not None
    publish(store, 4)
    registry.newest(PROJECT, ENVIRONMENT)
    cache.remember("memory", PROJECT, ENVIRONMENT, earlier)
    newest = registry.newest(PROJECT, ENVIRONMENT)
    assert newest is not None
    assert newest.record.n == 4


# -- offline -----------------------------------------------------------------------------------------------------------


class Unplugged(Counted):
    """Whoever asks it anything has not understood --offline."""

    def __getattribute__(self, name: str) -> Any:
        if name in {"get", "head", "first", "keys", "folders", "create", "replace", "delete"}:
            raise AssertionError(name)
        return super().__getattribute__(name)


def offline(cache: Cache) -> Registry:
    return Registry(Unplugged(), cache=cache, offline=True)


def test_offline_everything_that_was_read_is_there_and_nobody_is_asked(store: Counted, cache: Cache) -> None:
    online = Registry(store, cache=cache)
    before = read(online), online.current_with_state(PROJECT, ENVIRONMENT)
    assert (read(offline(cache)), offline(cache).current_with_state(PROJECT, ENVIRONMENT)) == before


def test_offline_after_an_approval_nobody_is_asked_either(store: Counted, cache: Cache) -> None:
    approve_something(store, 1)
    approve_something(store, 2)
    before = read(Registry(store, cache=cache))
    assert read(offline(cache)) == before


def test_offline_without_anything_says_how_to_get_it(cache: Cache) -> None:
    with pytest.raises(RegistryError, match="dbt_up@prod is not in the cache") as caught:
        offline(cache).newest(PROJECT, ENVIRONMENT)
    assert caught.value.exit_code == 3
    assert "without --offline" in caught.value.then
    assert offline(cache).current_with_state(PROJECT, ENVIRONMENT) == (None, None)


def test_offline_with_the_record_alone_names_what_is_missing(store: Counted, cache: Cache) -> None:
    Registry(store, cache=cache).newest(PROJECT, ENVIRONMENT)
    with pytest.raises(RegistryError, match="dbt_up@prod#3 is not in the cache"):
        read(offline(cache))


def test_offline_what_is_pinned_is_read_by_its_hash(store: Counted, cache: Cache) -> None:
    entry = Registry(store).log(PROJECT, ENVIRONMENT).require(2)
    with pytest.raises(RegistryError, match="dbt_up@prod#2 is not in the cache"):
        offline(cache).pinned(PROJECT, ENVIRONMENT, 2, entry.sha256)
    assert Registry(store, cache=cache).pinned(PROJECT, ENVIRONMENT, 2, entry.sha256) == entry
    assert offline(cache).pinned(PROJECT, ENVIRONMENT, 2, entry.sha256) == entry
    with pytest.raises(IntegrityError, match="the record calls itself 2"):
        offline(cache).pinned(PROJECT, ENVIRONMENT, 1, entry.sha256)


def test_what_is_pinned_by_another_hash_is_refused(registry: Registry) -> None:
    with pytest.raises(IntegrityError, match="record 2 is not the one"):
        registry.pinned(PROJECT, ENVIRONMENT, 2, "0" * 64)
    with pytest.raises(IntegrityError, match="is gone"):
        registry.pinned(PROJECT, ENVIRONMENT, 9, "0" * 64)


def test_whether_a_log_still_has_a_record_is_asked_of_the_log(store: Counted, cache: Cache) -> None:
    known = Registry(store, cache=cache).pinned(PROJECT, ENVIRONMENT, 2, sha256(store.content(log_key(2)))).sha256
    registry = Registry(store, cache=cache)
    assert registry.still_has(PROJECT, ENVIRONMENT, 2, known)
    assert not registry.still_has(PROJECT, ENVIRONMENT, 3, known)
    assert not registry.still_has(PROJECT, ENVIRONMENT, 9, known)
    assert offline(cache).still_has(PROJECT, ENVIRONMENT, 9, known)


def test_the_age_is_of_the_last_look(store: Counted, registry: Registry, cache: Cache) -> None:
    assert registry.seen(PROJECT, ENVIRONMENT) is None
    assert Registry(store).seen(PROJECT, ENVIRONMENT) is None
    registry.newest(PROJECT, ENVIRONMENT)
    head = cache.head("memory", PROJECT, ENVIRONMENT)
    assert head is not None
    cache.remember("memory", PROJECT, ENVIRONMENT, Head(n=3, sha256=head.sha256, tag=head.tag, seen=time.time() - DAY))
    age = registry.seen(PROJECT, ENVIRONMENT)
    assert age is not None
    assert DAY <= age < 2 * DAY
    registry.newest(PROJECT, ENVIRONMENT)
    assert (registry.seen(PROJECT, ENVIRONMENT) or 0) < DAY


def test_a_look_from_the_future_is_of_now(cache: Cache) -> None:
    cache.remember("memory", PROJECT, ENVIRONMENT, Head(n=3, sha256="", tag="", seen=time.time() + 10 * DAY))
    assert offline(cache).seen(PROJECT, ENVIRONMENT) == 0.0


# -- names that other hands put into the store -------------------------------------------------------------------------


HOSTILE = ["../../escaped", "..", "a/b", "a b", "", "_private", "con", "\x1b[2J", "x" * 64]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_consumer_that_is_no_project_is_not_asked_for_what_it_reads(
    store: Counted, registry: Registry, tmp_path: Path, name: str
) -> None:
    """A bucket takes any key; a name with dots would lead the cache out of its folder."""
    store.put(layout.edge_key(PROJECT, name), b"")
    store.put(layout.edge_key(PROJECT, "dbt_down"), b"")
    for n in (1, 2):
        store.put(layout.log_key(name, ENVIRONMENT, n), encode_record(records(store)[0]))
    before = sorted(tmp_path.rglob("*"))
    assert registry.consumers(PROJECT) == ["dbt_down"]
    assert consumers_of(registry, PROJECT) == consumers_beyond(registry, PROJECT) == ()
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", [name for name in HOSTILE if "/" not in name])
def test_folders_that_are_no_projects_or_environments_are_left_out(
    store: Counted, registry: Registry, name: str
) -> None:
    store.put(layout.log_key(name, ENVIRONMENT, 1), encode_record(records(store)[0]))
    store.put(layout.log_key(PROJECT, name.upper(), 1), encode_record(records(store)[0]))
    assert registry.places() == [(PROJECT, ENVIRONMENT)]


def test_places_are_those_that_are_chosen(store: Counted, registry: Registry) -> None:
    publish(store, 1, environment="staging")
    assert registry.places() == [(PROJECT, "prod"), (PROJECT, "staging")]
    assert registry.places([Selector(project=PROJECT, environment="staging")]) == [(PROJECT, "staging")]


@pytest.mark.parametrize(
    ("project", "environment", "says"),
    [("dbt_x", "prod", "dbt_x has published nothing; there is dbt_up"), (PROJECT, "dev", "nothing in 'dev'; there is")],
)
def test_a_place_that_nothing_is_known_of_is_no_place(
    registry: Registry, project: str, environment: str, says: str
) -> None:
    """Otherwise a slip of the pen would be answered with: everything is as it must be."""
    with pytest.raises(UsageError, match=says):
        registry.places([Selector(project=project, environment=environment)])


def test_a_place_that_lost_everything_is_one_for_who_has_seen_it(store: Counted, registry: Registry) -> None:
    registry.newest(PROJECT, ENVIRONMENT)
    store.drop(*store.snapshot())
    assert registry.places([Selector(project=PROJECT, environment=ENVIRONMENT)]) == [(PROJECT, ENVIRONMENT)]
    with pytest.raises(UsageError):
        Registry(store).places([Selector(project=PROJECT, environment=ENVIRONMENT)])


def test_a_single_publication_is_no_place(registry: Registry) -> None:
    with pytest.raises(UsageError, match="dbt_up@prod#2 is one publication") as caught:
        registry.places([Selector(project=PROJECT, environment=ENVIRONMENT, n=2)])
    assert caught.value.then == "write dbt_up@prod"


def test_nothing_there_names_what_is(registry: Registry) -> None:
    with pytest.raises(UsageError, match="dbt_x has published nothing; there is dbt_up"):
        registry.resolve(Selector(project="dbt_x", environment="prod"))


# -- where it stands ---------------------------------------------------------------------------------------------------


def test_the_folder_is_the_named_one_or_xdgs_or_in_the_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    assert cache_folder({"DBT_MESH_CACHE": "/c", "XDG_CACHE_HOME": "/x"}) == Path("/c")
    assert cache_folder({"XDG_CACHE_HOME": "/x", "DBT_MESH_CACHE": ""}) == Path("/x/dbt-mesh")
    assert cache_folder({}) == Path("/home/somebody/.cache/dbt-mesh")
