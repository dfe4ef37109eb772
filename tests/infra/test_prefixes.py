"""Who may do what, as a few lines of Python have it, held against the golden policies on keys that nobody would expect.

The policies speak in patterns, in which `*` goes over slashes; the statement below speaks of the parts of a key.
"""

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Final

import pytest

from tests.infra.golden_policies import BUCKET, golden, identities
from tests.infra.policies import Request, judge
from tests.infra.test_policies import BLIND, DELETE, GET, GONE, LIST, NEW, OVER, PUT, READERS, READS

# Projects of the mesh, names that begin or end like one, and what is a folder of the registry's own.
NAMES: Final = (*READS, "dbt_downs", "dbt", "DBT_DOWN", "_private", "_edges", "_probe", "", "*")
# Environments that are called as folders are.
ENVIRONMENTS: Final = ("prod", "log", "history", "latest")
ID: Final = "20260123T064541Z-0123456789ab"
BELOW: Final = (
    *(
        "log/999999999998.json",
        "log",
        f"history/{ID}/manifest.json",
        f"history/{ID}/usage.json.zst",
        "latest/manifest.json",
    ),
    *("latest/other.json", f"{ID}.json.zst", "x/latest/manifest.json", "log/latest/manifest.json", "x/log/y"),
)
TRIED: Final[tuple[tuple[str, Mapping[str, str]], ...]] = (
    (GET, {}),
    (PUT, NEW),
    (PUT, OVER),
    (PUT, BLIND),
    (DELETE, GONE),
    (DELETE, {}),
)


def keys() -> Iterator[str]:
    for name, environment, rest in itertools.product(NAMES, ENVIRONMENTS, BELOW):
        yield f"registry/{name}/{environment}/{rest}"
        yield f"registry/_private/{name}/{environment}/{rest}"
    for upstream, consumer in itertools.product(NAMES, NAMES):
        yield from (f"registry/_edges/{upstream}/{consumer}{end}" for end in ("", "/", "_2", "/x"))
    yield from ("registry", "registry/", "Registry/dbt_up/prod/x", "registry2/dbt_up/prod/x", "dbt_up/prod/x", "/")


def publisher_may(role: str, action: str, context: Mapping[str, str], key: str) -> bool:
    """What a publisher may do: create its own and say whom it reads; read itself, its upstreams, its readers' usage."""
    parts = key.split("/")
    if parts[0] != "registry" or len(parts) < 3:
        return False
    own = parts[1] == role or (parts[1] == "_private" and parts[2] == role and len(parts) > 3)
    edge = parts[1] == "_edges" and len(parts) == 4 and parts[2] in READS[role] and parts[3] == role
    if action == PUT and context == NEW:
        return own or edge
    if action == PUT and context == OVER:
        history = re.search(r"/(log|history)/", "/".join(["", *parts[3:]]))
        return parts[1] == role and key.endswith("/latest/manifest.json") and len(parts) > 4 and not history
    if action == GET:
        recorded = parts[1] in READERS[role] and bool(
            re.fullmatch(r".+/log/.*|.+/history/.*/usage\.json\.zst", "/".join(parts[2:]))
        )
        return own or edge or parts[1] in READS[role] or recorded
    return False


@pytest.mark.parametrize("role", READS)
def test_a_publisher_stays_in_its_own(role: str) -> None:
    policies, bucket = identities()[role], golden("bucket")
    wrong = [
        (action, dict(context), key)
        for key in keys()
        for action, context in TRIED
        if (judge(_asked(action, key, context), policies, bucket) == "allowed")
        is not publisher_may(role, action, context, key)
    ]
    assert wrong == []


def test_pull_requests_read_what_is_public_and_the_collector_keeps_the_log() -> None:
    bucket, roles = golden("bucket"), identities()
    for key in keys():
        top, _, rest = key.removeprefix("registry/").partition("/")
        inside = key.startswith("registry/")
        for action, context in TRIED:
            request = _asked(action, key, context)
            reads = judge(request, roles["pull_requests"], bucket) == "allowed"
            assert reads is (action == GET and inside and top != "_private"), (action, key)
            if judge(request, roles["collector"], bucket) != "allowed" or action == GET:
                continue
            assert inside
            if action == PUT:
                assert context == NEW or (context == OVER and top == "_probe")
                assert (top == "_probe" and rest) or "/log/" in f"/{rest}"
                assert top != "_private"
            else:
                assert context == GONE
                assert top in ("_private", "_probe") or "/history/" in f"/{rest}", key
                assert not re.fullmatch(r"[^/]+/log/[0-9]{12}\.json", rest) or top in ("_private", "_probe"), key


@pytest.mark.parametrize("role", READS)
def test_a_listing_names_nothing_of_projects_that_are_named_alike(role: str) -> None:
    known = {role} | READS[role] | READERS[role]
    for name in NAMES:
        for prefix in (
            f"registry/{name}/",
            f"registry/{name}",
            f"registry/{name}/prod/log/",
            f"registry/_edges/{name}/",
        ):
            listed = judge(_asked_to_list(prefix), identities()[role]) == "allowed"
            whole = prefix.endswith("/")
            edges = prefix.startswith("registry/_edges/")
            assert listed is (whole and name in (({role} | READERS[role]) if edges else known)), prefix
        private = judge(_asked_to_list(f"registry/_private/{name}/"), identities()[role]) == "allowed"
        assert private is (name == role)
    for prefix in (
        "",
        "registry",
        "registry/",
        "registry/_",
        "registry/_private/",
        "registry/_edges/",
        "/",
        "*",
        "registry/*",
    ):
        assert judge(_asked_to_list(prefix), identities()[role]) == "not allowed", prefix


def _asked(action: str, key: str, context: Mapping[str, str]) -> Request:
    said = {"aws:SecureTransport": "true", **context}
    return Request(action=action, resource=f"arn:aws:s3:::{BUCKET}/{key}", context=said)


def _asked_to_list(prefix: str) -> Request:
    return Request(action=LIST, resource=f"arn:aws:s3:::{BUCKET}", context={"s3:prefix": prefix})
