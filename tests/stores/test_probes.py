"""A store that keeps its promises passes every probe; one that breaks a promise is found by the probe for it."""

from collections.abc import Generator, Iterator

import pytest

from registry_tools.errors import OutcomeUnknown, RegistryError
from registry_tools.mesh.observation import Observation
from registry_tools.registry import layout, probes
from registry_tools.registry.memory import MemoryStore
from registry_tools.registry.objects import ObjectStore
from registry_tools.registry.patience import Clock
from registry_tools.registry.probes import look_at_store, probe_store, require_conditions
from registry_tools.registry.publications import Registry
from registry_tools.registry.s3 import S3Store
from tests import builders
from tests.stores import bad_stores as bad
from tests.stores.fault_server import FaultServer, error, fault_server
from tests.stores.lax_s3 import lax_s3
from tests.stores.local_s3 import BUCKET

AT_ONCE = Clock(pause=lambda _seconds: None)
IGNORED = "if-none-match"
EVERYWHERE = [
    "rights", "conditional-create", "race", "conditional-replace", "stale-reads", "conditional-delete", "large-object",
    "read-after-write", "listing",
]  # fmt: skip


def verdicts(seen: list[Observation]) -> dict[str, str]:
    """Each check with its gravest verdict."""
    order = ["ok", "note", "warning", "error"]
    return {s.check: max((o.verdict for o in seen if o.check == s.check), key=order.index) for s in seen}


def wrong(store: ObjectStore) -> dict[str, str]:
    return {
        check: verdict
        for check, verdict in verdicts(list(probe_store(store))).items()
        if verdict in {"warning", "error"}
    }


def test_a_store_that_keeps_its_promises_passes_and_is_left_as_it_was(store: ObjectStore) -> None:
    store.create("kept", b"x")
    seen = list(probe_store(store))
    assert {o.check for o in seen} - {"checksum", "overwriting"} == set(EVERYWHERE)
    assert all(o.verdict in {"ok", "note"} for o in seen), seen
    assert [o.what for o in seen if o.check == "rights"] == ["this role may create, read, replace, delete"]
    assert list(store.keys("")) == ["kept"]


def test_the_embedded_s3_refuses_a_wrong_checksum_and_its_bucket_has_no_policy(s3_store: S3Store) -> None:
    seen = verdicts(list(probe_store(s3_store)))
    assert (seen["checksum"], seen["overwriting"]) == ("ok", "note")


@pytest.mark.parametrize(
    ("store", "found"),
    [
        (bad.IgnoresIfNoneMatch(), {"conditional-create": "error", "race": "error"}),
        (bad.RacesAtCreation(), {"race": "error"}),
        (bad.LosesTheWinner(), {"race": "error"}),
        (bad.IgnoresIfMatchToReplace(), {"conditional-replace": "error"}),
        (bad.SaysYes(), {"conditional-create": "error", "race": "error", "conditional-replace": "error"}),
        (bad.SaysNo(), {"conditional-create": "error"}),
        (bad.ReplacesWhatIsNotThere(), {"conditional-replace": "error"}),
        (bad.IgnoresIfMatchToDelete(), {"conditional-delete": "error"}),
        (bad.DeletesNothing(), {"conditional-delete": "error"}),
        (bad.ReadsStale(), {"stale-reads": "error"}),
        (bad.RemembersAbsence(), {"read-after-write": "error"}),
        (bad.ListsLate(), {"listing": "error"}),
        (bad.ListsInTheOrderOfPutting(), {"listing": "error"}),
        (bad.FindsTheOldestFirst(), {"listing": "error"}),
        (bad.CutsLargeObjects(), {"large-object": "error"}),
        (bad.HasAnOldClock(), {"age": "warning"}),
        (bad.Fails("create", "/race/"), {"race": "error"}),
        (bad.Fails("get", "/list/"), {}),
        (bad.Fails("head", "/large"), {"large-object": "error"}),
        (bad.LosesAnswers(), {}),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, MemoryStore) else "",
)
def test_a_broken_promise_is_found_by_its_probe_and_by_no_other(store: MemoryStore, found: dict[str, str]) -> None:
    assert wrong(store) == found


def test_every_error_says_what_to_do() -> None:
    seen = list(probe_store(bad.IgnoresIfNoneMatch()))
    assert all(o.then for o in seen if o.verdict in {"warning", "error"})


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (IGNORED, {"conditional-create", "race"}),
        ("if-match", {"conditional-replace", "conditional-delete"}),
        ("x-amz-checksum-sha256", {"checksum"}),
    ],
)
def test_an_s3_that_ignores_a_header_is_found_over_http(
    s3_endpoint: str, monkeypatch: pytest.MonkeyPatch, header: str, found: set[str]
) -> None:
    with lax_s3(s3_endpoint, header) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        assert set(wrong(S3Store(BUCKET, f"lax/{header}"))) == found


# -- rights -----------------------------------------------------------------------------------------------------------


def test_a_role_that_may_not_create_is_told_so_and_nothing_is_tried() -> None:
    (seen,) = probe_store(bad.Forbids("create"))
    assert (seen.check, seen.verdict) == ("rights", "warning")
    assert "--read-only" in seen.then


def test_a_publisher_that_may_not_delete_tries_the_rest_and_says_what_it_leaves_behind() -> None:
    store = bad.Forbids("delete")
    seen = list(probe_store(store))
    left = list(store.keys(""))
    assert all(key.startswith("_probe/") for key in left)
    assert sum(len(stored.content) for stored in store._objects.values()) < 10_000
    assert {o.check for o in seen} >= {"conditional-create", "race", "listing", "cleaning-up"}
    assert {o.check for o in seen}.isdisjoint({"conditional-delete", "large-object"})
    assert f"{len(left)} small objects stay below memory/_probe/" in seen[-1].what
    assert "not delete" in seen[0].what


def test_a_role_that_may_not_replace_is_not_asked_to() -> None:
    seen = list(probe_store(bad.Forbids("replace")))
    assert {o.check for o in seen} == set(EVERYWHERE) - {"conditional-replace", "stale-reads"}
    assert "not replace" in seen[0].what


def test_a_role_that_may_not_list_is_told_so_by_that_probe() -> None:
    seen = list(probe_store(bad.Forbids("keys")))
    assert [(o.verdict, o.what) for o in seen if o.check == "listing"] == [("note", f"this role may not: {bad.DENIED}")]


def test_a_store_that_fails_from_the_beginning_is_probed_no_further() -> None:
    (seen,) = probe_store(bad.Fails("create", ""))
    assert (seen.check, seen.verdict, seen.then) == ("rights", "error", "run the same again")


def test_a_probe_that_is_given_up_cleans_up() -> None:
    store = MemoryStore()
    seen = probe_store(store)
    next(seen)
    next(seen)
    assert list(store.keys(""))
    assert isinstance(seen, Generator)
    seen.close()
    assert list(store.keys("")) == []


# -- looking without writing ------------------------------------------------------------------------------------------


def test_an_empty_store_is_looked_at_and_stays_empty(store: ObjectStore) -> None:
    assert [(o.check, o.verdict, o.what) for o in look_at_store(store, frozenset())] == [
        ("list", "ok", "answers, and is empty")
    ]
    assert list(store.keys("")) == []


def test_private_manifests_of_others_that_can_be_read_are_named(store: ObjectStore) -> None:
    store.create("_private/mine/prod/a.json.zst", b"x")
    store.create("_private/theirs/prod/a.json.zst", b"x")
    seen = {o.check: o for o in look_at_store(store, frozenset({"mine"}))}
    assert seen["list"].verdict == seen["read"].verdict == "ok"
    assert seen["private"].verdict == "note"
    assert seen["private"].what == "this role may read the whole manifests of theirs"


def test_what_is_private_and_forbidden_is_no_finding() -> None:
    store = bad.Forbids("folders", "head")
    MemoryStore.create(store, "_private/theirs/prod/a.json.zst", b"x")
    assert {o.check: o.verdict for o in look_at_store(store, frozenset())}.items() >= {"private": "note"}.items()


def test_a_role_without_the_right_to_list_everything_has_reached_the_store() -> None:
    seen = list(look_at_store(bad.Forbids("first"), frozenset()))
    assert [(o.check, o.verdict) for o in seen] == [("list", "note")]


def test_a_store_that_cannot_be_reached_is_an_error() -> None:
    with pytest.raises(RegistryError, match="cannot be reached"):
        list(look_at_store(S3Store("mesh", "registry"), frozenset()))


# -- publishing -------------------------------------------------------------------------------------------------------


def publish(store: ObjectStore) -> bool:
    candidate = builders.candidate(builders.interface(builders.public_model("orders")))
    return Registry(store, clock=AT_ONCE).publish(candidate, lambda _current: None)[1]


def test_nothing_is_published_on_a_store_that_ignores_conditions(
    s3_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lax_s3(s3_endpoint, IGNORED) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        lax = S3Store(BUCKET, "lax/publish")
        for _ in range(2):
            with pytest.raises(RegistryError, match="ignores conditional writes") as caught:
                publish(lax)
            assert caught.value.exit_code == 3
            assert "mesh doctor" in caught.value.then
            assert "lax/publish" in str(caught.value)
        assert lax.first(layout.log_prefix("dbt_up", "prod")) is None


def test_publishing_on_a_store_that_keeps_to_conditions_works(s3_store: S3Store) -> None:
    assert publish(s3_store) is True
    assert publish(s3_store) is False


@pytest.mark.parametrize(
    ("endpoint", "amazons"),
    [
        ("https://s3.eu-central-1.amazonaws.com", True),
        ("https://bucket.vpce-1.s3.eu-central-1.vpce.amazonaws.com", True),
        ("https://s3.cn-north-1.amazonaws.com.cn", True),
        ("https://amazonaws.com.example.org", False),
        ("https://minio.internal:9000", False),
        ("http://127.0.0.1:9000", False),
    ],
)
def test_aws_is_vouched_for_and_nobody_else(monkeypatch: pytest.MonkeyPatch, endpoint: str, amazons: bool) -> None:  # noqa: FBT001
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    assert S3Store("mesh", "registry").is_amazons() is amazons


def test_what_is_vouched_for_is_asked_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    require_conditions(S3Store("mesh", "registry"), "k", b"x", AT_ONCE)
    require_conditions(bad.Forbids("create"), "k", b"x", AT_ONCE)


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultServer]:
    with fault_server() as (server, endpoint):
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        yield server


def test_one_request_proves_it(faults: FaultServer) -> None:
    faults.answers = [error(412, "PreconditionFailed")]
    require_conditions(S3Store("mesh", "registry"), "k", b"x", AT_ONCE)
    (request,) = faults.requests
    assert (request.method, request.path, request.headers["if-none-match"]) == ("PUT", "/mesh/registry/k", "*")


def test_an_answer_that_is_lost_is_asked_for_again_and_proves_nothing(faults: FaultServer) -> None:
    faults.answers = [error(503, "SlowDown"), error(412, "PreconditionFailed")]
    require_conditions(S3Store("mesh", "registry"), "k", b"x", AT_ONCE)
    assert len(faults.requests) == 2
    faults.answers = [error(503, "SlowDown")]
    with pytest.raises(OutcomeUnknown):
        require_conditions(S3Store("mesh", "registry"), "k", b"x", AT_ONCE)
    assert len(faults.requests) == 2 + probes._SENDS
