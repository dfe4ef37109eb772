"""Publishers and readers in processes, over HTTP, in fair weather and in foul: nothing acknowledged is ever lost.

Its size and seed come from the environment: SOAK_PUBLICATIONS for each of 16 publishers, SOAK_READERS, SOAK_SEED.
"""

import os
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import boto3
import pytest

from registry_tools.registry.inspection import inspect
from registry_tools.registry.publications import Registry
from registry_tools.registry.s3 import S3Store
from tests.registry import ENVIRONMENT, PROJECT, killed
from tests.registry.crowd import Acknowledged, Crowd, Seen
from tests.registry.fault_proxy import Weather, fault_proxy
from tests.registry.publishing import assert_sound, latest, publication_id, published, records
from tests.stores.local_s3 import BUCKET, aws_variables, local_s3

PUBLISHERS: Final = 16
_EACH: Final = int(os.environ.get("SOAK_PUBLICATIONS", "2"))
_READERS: Final = int(os.environ.get("SOAK_READERS", "8"))
_SEED: Final = os.environ.get("SOAK_SEED", "1")
_THREADS: Final = 8
_FOUL: Final = 0.06
_SECONDS: Final = 30


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with local_s3(tmp_path_factory.mktemp("s3")) as found:
        yield found


@pytest.fixture
def store(endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    for name, value in aws_variables(endpoint, tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "Session", lambda: killed.SESSION)
    return S3Store(BUCKET, uuid.uuid4().hex)


def assert_kept(store: S3Store, acknowledged: list[Acknowledged], seen: list[Seen]) -> None:
    """Whatever was acknowledged stands where it was said to, once; and readers saw what stands there."""
    log = records(store)
    assert [log[each.n - 1].publication for each in acknowledged] == [publication_id(each.k) for each in acknowledged]
    assert sorted(published(store)) == sorted({publication_id(each.k) for each in acknowledged})
    assert len({each.k for each in acknowledged}) == len(acknowledged)
    assert_sound(store)
    stands = {record.n: (record.current, record.digest) for record in log}
    for reader in seen:
        assert reader.at.items() <= stands.items()
    assert latest(store) == (log[-1].publication, len(log))
    assert list(inspect(Registry(store), PROJECT, ENVIRONMENT)) == []


@pytest.fixture
def tell(capfd: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Figures that somebody wants to see although all went well."""

    def show(text: str) -> None:
        with capfd.disabled():
            sys.stderr.write(f"\n{text}\n")

    return show


def test_sixteen_publishers_at_once_all_finish_within_30_seconds(
    store: S3Store, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    crowd = Crowd(store.root, aws_variables(os.environ["AWS_ENDPOINT_URL"], tmp_path), PUBLISHERS)
    for k in range(PUBLISHERS):
        crowd.add_publisher([k])
    seconds = crowd.go()
    acknowledged, _ = crowd.results()
    tell(f"16 publishers of one project over HTTP, in 16 processes: {seconds:.1f} s from the first to the last")
    assert [(each.told_new, each.runs) for each in acknowledged] == [(1, 1)] * PUBLISHERS
    assert sorted(each.n for each in acknowledged) == list(range(1, PUBLISHERS + 1))
    assert_kept(store, acknowledged, [])
    assert seconds < _SECONDS


def test_in_foul_weather_nothing_is_lost_and_nothing_is_twice(
    store: S3Store, endpoint: str, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    processes = -(-_READERS // _THREADS)
    folder = tmp_path / "proxy"
    folder.mkdir()
    with fault_proxy(folder, endpoint, _SEED, _FOUL) as (proxied, counts):
        crowd = Crowd(store.root, aws_variables(proxied, tmp_path), PUBLISHERS + processes)
        for worker in range(PUBLISHERS):
            crowd.add_publisher(range(worker * _EACH, (worker + 1) * _EACH))
        for process in range(processes):
            crowd.add_readers(tmp_path / "cache", min(_THREADS, _READERS - process * _THREADS), _READERS / 16)
        seconds = crowd.go()
        acknowledged, seen = crowd.results()
    runs = sum(each.runs for each in acknowledged)
    reads, failures = sum(each.reads for each in seen), sum(each.failures for each in seen)
    tell(f"{len(acknowledged)} publications in {runs} runs and {seconds:.0f} s; {reads} reads, {failures} failed")
    tell(f"seed {_SEED}: {sum(counts.values())} requests, {dict(sorted(counts.items()))}")
    assert set(counts) == {weather.name for weather in Weather}
    assert len(acknowledged) == PUBLISHERS * _EACH
    assert all(each.told_new <= 1 for each in acknowledged)
    assert all(each.reads for each in seen)
    assert len(seen) == _READERS
    assert_kept(store, acknowledged, seen)
