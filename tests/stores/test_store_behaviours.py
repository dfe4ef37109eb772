"""One suite for every store: memory, directory and S3 over HTTP, read through either door, answer alike."""

import http.client
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from urllib.parse import urlsplit

import pytest

from registry_tools.errors import IntegrityError
from registry_tools.registry.objects import ObjectStore
from registry_tools.registry.s3 import S3Store
from tests.stores.conftest import NewStore
from tests.stores.local_s3 import BUCKET

AT_ONCE = 16


def at_once(work: Callable[[int], bool]) -> list[bool]:
    """The work of sixteen threads that start together."""
    gate = Barrier(AT_ONCE)

    def start(worker: int) -> bool:
        gate.wait()
        return work(worker)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(start, range(AT_ONCE)))


def content(store: ObjectStore, key: str) -> bytes | None:
    stored = store.get(key)
    return None if stored is None else stored.content


def first(store: ObjectStore, prefix: str) -> str | None:
    found = store.first(prefix)
    return None if found is None else found.key


def filled(store: ObjectStore, *keys: str) -> ObjectStore:
    for key in keys:
        assert store.create(key, key.encode())
    return store


def test_what_was_created_is_read_back(store: ObjectStore) -> None:
    assert store.create("a/b/c.json", b"{}") is True
    assert content(store, "a/b/c.json") == b"{}"


def test_a_second_create_is_declined_and_changes_nothing(store: ObjectStore) -> None:
    store.create("a/k", b"first")
    assert store.create("a/k", b"second") is False
    assert store.create("a/k", b"first") is False
    assert content(store, "a/k") == b"first"


def test_an_absent_key_is_none(store: ObjectStore) -> None:
    filled(store, "a/k")
    assert store.get("a/other") is None
    assert store.get("other/k") is None
    assert store.get("a/k/below") is None
    assert store.get("a") is None


def test_of_sixteen_creates_one_wins_and_its_bytes_stand(store: ObjectStore) -> None:
    for round_ in range(5):
        key = f"race/{round_}"
        won = at_once(lambda worker, key=key: store.create(key, f"writer {worker}".encode()))  # type: ignore[misc]
        assert won.count(True) == 1
        assert content(store, key) == f"writer {won.index(True)}".encode()


def test_of_sixteen_that_delete_and_create_one_deletes_and_one_creates(store: ObjectStore) -> None:
    store.create("a/k", b"first")
    standing = store.head("a/k")
    assert standing is not None
    deleted = [False] * AT_ONCE

    def take(worker: int) -> bool:
        deleted[worker] = store.delete("a/k", standing.tag)
        return store.create("a/k", f"writer {worker}".encode())

    created = at_once(take)
    assert deleted.count(True) == 1
    assert created.count(True) == 1
    assert content(store, "a/k") == f"writer {created.index(True)}".encode()


def test_sixteen_readers_and_writers_share_a_store(store: ObjectStore) -> None:
    def write_and_read(worker: int) -> bool:
        mine = [f"shared/{worker:02d}/{n}" for n in range(6)]
        return all(store.create(key, key.encode()) for key in mine) and [content(store, key) for key in mine] == [
            key.encode() for key in mine
        ]

    assert all(at_once(write_and_read))
    assert len(list(store.keys("shared/"))) == AT_ONCE * 6


def test_replace_with_the_right_tag_replaces(store: ObjectStore) -> None:
    store.create("a/k", b"old")
    standing = store.get("a/k")
    assert standing is not None
    assert store.replace("a/k", b"new", standing.tag) is True
    assert content(store, "a/k") == b"new"


def test_delete_with_the_right_tag_deletes_and_the_key_is_free_again(store: ObjectStore) -> None:
    store.create("a/k", b"1")
    standing = store.head("a/k")
    assert standing is not None
    assert store.delete("a/k", standing.tag) is True
    assert store.get("a/k") is None
    assert store.head("a/k") is None
    assert list(store.keys("")) == []
    assert store.create("a/k", b"2") is True


def test_delete_with_a_stale_tag_or_of_nothing_is_declined(store: ObjectStore) -> None:
    store.create("a/k", b"1")
    before = store.head("a/k")
    assert before is not None
    assert store.replace("a/k", b"2", before.tag)
    assert store.delete("a/k", before.tag) is False
    assert content(store, "a/k") == b"2"
    assert store.delete("a/other", before.tag) is False
    assert store.delete("other/k", before.tag) is False
    assert list(store.keys("")) == ["a/k"]


def test_head_and_first_say_size_tag_and_age(store: ObjectStore) -> None:
    store.create("a/k", b"12345")
    stored, head, first_ = store.get("a/k"), store.head("a/k"), store.first("a/")
    assert stored is not None
    assert head is not None
    assert first_ is not None
    assert (head.key, head.size, head.tag) == ("a/k", 5, stored.tag)
    assert (first_.key, first_.size, first_.tag) == ("a/k", 5, stored.tag)
    assert 0 <= head.age < 60
    assert 0 <= first_.age < 60
    assert store.head("a/none") is None


def test_other_bytes_have_another_tag(store: ObjectStore) -> None:
    store.create("a/k", b"1")
    before = store.head("a/k")
    assert before is not None
    store.replace("a/k", b"2", before.tag)
    after = store.head("a/k")
    assert after is not None
    assert after.tag != before.tag


def test_replace_with_a_stale_tag_is_declined(store: ObjectStore) -> None:
    store.create("a/k", b"1")
    first = store.get("a/k")
    assert first is not None
    assert store.replace("a/k", b"2", first.tag) is True
    assert store.replace("a/k", b"3", first.tag) is False
    assert content(store, "a/k") == b"2"


def test_replace_of_an_absent_key_is_declined_and_makes_none(store: ObjectStore) -> None:
    store.create("a/k", b"1")
    standing = store.get("a/k")
    assert standing is not None
    assert store.replace("a/other", b"2", standing.tag) is False
    assert store.get("a/other") is None


def test_concurrent_replaces_lose_no_update(store: ObjectStore) -> None:
    store.create("counter", b"0")

    def add_one(_worker: int) -> bool:
        for _ in range(400):
            standing = store.get("counter")
            assert standing is not None
            if store.replace("counter", str(int(standing.content) + 1).encode(), standing.tag):
                return True
        return False

    assert all(at_once(add_one))
    assert content(store, "counter") == str(AT_ONCE).encode()


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("a/", ["a/1", "a/b/2"]),
        ("a/b/", ["a/b/2"]),
        ("ab/", ["ab/3"]),
        ("abc/", []),
        ("a/1/", []),
        ("", ["a/1", "a/b/2", "ab/3", "b"]),
    ],
)
def test_keys_and_first_stop_at_the_neighbour(store: ObjectStore, prefix: str, expected: list[str]) -> None:
    filled(store, "b", "ab/3", "a/b/2", "a/1")
    assert list(store.keys(prefix)) == expected
    assert first(store, prefix) == (expected[0] if expected else None)


def test_folders_are_what_has_keys_below(store: ObjectStore) -> None:
    filled(store, "top", "a/1", "a/deep/er/2", "ab/x/3", "_edges/a/b")
    assert store.folders("") == ["_edges", "a", "ab"]
    assert store.folders("a/") == ["deep"]
    assert store.folders("a/deep/") == ["er"]
    assert store.folders("ab/x/") == []
    assert store.folders("none/") == []


def test_keys_come_in_the_order_of_their_bytes(store: ObjectStore) -> None:
    names = ["0999", "1000", "Z", "_", "a", "b", "é"]
    filled(store, *(f"log/{name}" for name in reversed(names)))
    assert list(store.keys("log/")) == [f"log/{name}" for name in names]
    assert first(store, "log/") == "log/0999"


def test_a_name_that_sorts_before_the_slash_comes_before_what_is_below_its_neighbour(store: ObjectStore) -> None:
    filled(store, "p/prod/x", "p/prod-eu/x", "p/prod.txt", "p/prod0")
    assert list(store.keys("p/")) == ["p/prod-eu/x", "p/prod.txt", "p/prod/x", "p/prod0"]
    assert first(store, "p/") == "p/prod-eu/x"
    assert store.folders("p/") == ["prod", "prod-eu"]


@pytest.mark.parametrize(
    "body",
    [b"", b"\0", bytes(range(256)), b"\r\n0\r\n\r\n", b"\xff\xfe" * 7, b"5 MB " * 1_000_000],
    ids=["empty", "nul", "all bytes", "chunk end", "no UTF-8", "5 MB"],
)
def test_content_comes_back_to_the_byte(store: ObjectStore, body: bytes) -> None:
    assert store.create("k", body) is True
    stored = store.get("k")
    assert stored is not None
    assert stored.content == body
    assert store.replace("k", body + b"!", stored.tag) is True
    assert content(store, "k") == body + b"!"


@pytest.mark.parametrize(
    "name",
    [
        "a b",
        "a+b",
        "a%2Fb",
        "a&b=c",
        "ä",
        "日本",
        "a'b",
        "a(b)",
        "a~b",
        "x" * 200,
        "a,b;c",
        "a@b:c",
        "a*b!",
        "%2e%2e",
        "a=b&c",
        "<a>&amp;",
        '"q"',
        "a%20b",
        "🦆",
        "a?b#c",
        "[a]{b}|^`",
    ],
)
def test_odd_but_legal_names_are_only_names(store: ObjectStore, name: str) -> None:
    key = f"odd/{name}/{name}"
    assert store.create(key, b"here") is True
    assert content(store, key) == b"here"
    assert list(store.keys("odd/")) == [key]
    assert store.folders("odd/") == [name]
    assert store.create(key, b"again") is False


def test_a_reader_takes_no_more_than_its_limit(new_store: NewStore) -> None:
    store = new_store(limit=5)
    filled(store, "fits", "longer")
    store.create("five", b"12345")
    assert content(store, "five") == b"12345"
    with pytest.raises(IntegrityError, match="more than 5 bytes") as caught:
        store.get("longer")
    assert caught.value.where == f"{store.root}/longer"


def test_the_root_is_what_people_type(store: ObjectStore) -> None:
    assert store.root
    assert not store.root.endswith("/")


def test_more_keys_than_one_page_holds_are_all_listed(s3_store: S3Store) -> None:
    place = urlsplit(s3_store.root)
    # unsigned and raw, because a thousand signed requests take long
    server = http.client.HTTPConnection(urlsplit(os.environ["AWS_ENDPOINT_URL"]).netloc)
    for n in range(1_500):
        server.request("PUT", f"/{BUCKET}{place.path}/{n % 2}/{n:04d}", body=b"x")
        assert server.getresponse().read() == b""
    server.close()
    assert list(s3_store.keys("")) == sorted(f"{n % 2}/{n:04d}" for n in range(1_500))
    assert s3_store.folders("") == ["0", "1"]
    assert first(s3_store, "1/") == "1/0001"
    assert len(list(s3_store.keys("0/"))) == 750
