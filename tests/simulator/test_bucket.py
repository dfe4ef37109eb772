"""The simulated bucket answers as the store does that all the others are held against."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from registry_tools.registry.memory import MemoryStore
from registry_tools.registry.objects import ObjectStore
from tests.simulator.bucket import Bucket
from tests.simulator.client import Client
from tests.simulator.fates import Fates, Harsh
from tests.simulator.schedule import Schedule

keys = st.sampled_from(["a/b/c", "a/b/d", "a/bc", "b", "a/log/1", *(f"p/{k:02d}" for k in range(20))])
prefixes = st.sampled_from(["", "a/", "a/b", "a/b/", "p/", "z"])
contents = st.binary(max_size=3)
asked = st.one_of(
    st.tuples(st.just("create"), keys, contents),
    st.tuples(st.just("replace"), keys, contents),
    st.tuples(st.just("delete"), keys),
    st.tuples(st.just("get"), keys),
    st.tuples(st.just("head"), keys),
    st.tuples(st.sampled_from(["first", "keys", "folders"]), prefixes),
)


def calm() -> Client:
    """A client whom nothing befalls."""
    random = Random(0)  # noqa: S311  # see History
    fates, schedule = Fates(random, list(Harsh)), Schedule(random, inertia=0.0)
    fates.calm = True
    return Client(schedule, Bucket(lambda: schedule.now, lambda _write: None), fates, [])


def answer(store: ObjectStore, verb: str, key: str, content: bytes) -> object:
    """What the store says, but for tags and ages, which are its own."""
    found = store.head(key)
    if verb == "create":
        return store.create(key, content)
    if verb == "replace":
        return store.replace(key, content, found.tag if found else "none"), store.replace(key, b"wrong", "another tag")
    if verb == "delete":
        return store.delete(key, "another tag"), store.delete(key, found.tag if found else "none")
    if verb == "get":
        stored = store.get(key)
        return stored and stored.content
    if verb in {"head", "first"}:
        facts = found if verb == "head" else store.first(key)
        return facts and (facts.key, facts.size)
    return list(store.keys(key)) if verb == "keys" else store.folders(key)


@settings(max_examples=200, derandomize=True, database=None, deadline=None)
@given(st.lists(asked, max_size=30))
def test_it_answers_as_memory_does(requests: list[tuple[str, ...]]) -> None:
    simulated, memory = calm(), MemoryStore()
    for verb, key, *rest in requests:
        content = rest[0] if rest else b""
        assert answer(simulated, verb, key, content) == answer(memory, verb, key, content), (verb, key)  # type: ignore[arg-type]


def test_an_object_that_was_deleted_and_created_again_has_its_old_tag() -> None:
    """As an ETag is the digest of the bytes: a deletion that is still under way hits the new object."""
    store = calm()
    store.create("k", b"same")
    before = store.head("k")
    assert before is not None
    assert store.delete("k", before.tag)
    store.create("k", b"same")
    assert store.delete("k", before.tag)
