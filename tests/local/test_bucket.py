"""The local S3 keeps the promises that the registry rests on: a conditional write has one winner."""

import base64
import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from werkzeug.test import Client

from registry_tools.local import bucket

WRITERS = 16
# Threads change places a thousand times more often than usual: without the lock, one race in twenty has two winners.
RUSHED = "import sys; sys.setswitchinterval(1e-6); from registry_tools.local.bucket import main; main(sys.argv[1:])"


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    ready = tmp_path_factory.mktemp("bucket") / "ready"
    command = [sys.executable, "-c", RUSHED, "--bucket", "race", "--ready", str(ready)]
    with subprocess.Popen(command) as server:
        for _ in range(500):
            if ready.exists() or server.poll() is not None:
                break
            time.sleep(0.02)
        yield boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{json.loads(ready.read_text())['port']}",
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(retries={"max_attempts": 0}, max_pool_connections=WRITERS),
        )
        server.terminate()


class SlowStore:
    """Stands in for moto: each request takes a while, and the greatest number under way at once is remembered."""

    def __init__(self) -> None:
        self.under_way = self.most = 0

    def __call__(self, _environ: object, start_response: Any) -> list[bytes]:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        time.sleep(0.02)
        self.under_way -= 1
        start_response("200 OK", [])
        return [b""]


@pytest.mark.parametrize(("method", "most"), [("PUT", 1), ("POST", 1), ("DELETE", 1), ("GET", 4)])
def test_writes_happen_one_after_the_other_and_reads_at_once(monkeypatch, method, most):
    store = SlowStore()
    monkeypatch.setattr(bucket, "DomainDispatcherApplication", lambda _backend: store)
    application = bucket.application("any")

    def request(_: int) -> None:
        Client(application).open("/any/key", method=method, data=b"x")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(request, range(8)))
    assert store.most == most


def won(write: Callable[..., object], **condition: Any) -> bool:
    try:
        write(**condition)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 412:
            raise
        return False
    return True


def test_of_sixteen_that_create_one_key_exactly_one_wins(s3):
    def create(key, writer):
        # a body of its own: the same bytes twice would have the same ETag and hide a second winner
        return won(s3.put_object, Bucket="race", Key=key, Body=f"writer {writer}".encode(), IfNoneMatch="*")

    with ThreadPoolExecutor(WRITERS) as pool:
        for n in range(25):
            key = f"log/{n}.json"
            results = list(pool.map(create, [key] * WRITERS, range(WRITERS)))
            assert results.count(True) == 1
            written = s3.get_object(Bucket="race", Key=key)["Body"].read()
            assert written == f"writer {results.index(True)}".encode()


def test_of_sixteen_that_replace_one_version_exactly_one_wins(s3):
    def replace(etag, round_, writer):
        return won(s3.put_object, Bucket="race", Key="latest", Body=f"{round_} {writer}".encode(), IfMatch=etag)

    etag = s3.put_object(Bucket="race", Key="latest", Body=b"start")["ETag"]
    with ThreadPoolExecutor(WRITERS) as pool:
        for n in range(25):
            results = list(pool.map(replace, [etag] * WRITERS, [n] * WRITERS, range(WRITERS)))
            assert results.count(True) == 1
            etag = s3.head_object(Bucket="race", Key="latest")["ETag"]


def test_a_body_that_is_not_what_its_checksum_says_is_refused(s3):
    def put(promised: bytes) -> None:
        checksum = base64.b64encode(hashlib.sha256(promised).digest()).decode()
        s3.put_object(Bucket="race", Key="checked", Body=b"body", ChecksumSHA256=checksum)

    with pytest.raises(ClientError, match="BadDigest"):
        put(b"other")
    assert s3.list_objects_v2(Bucket="race", Prefix="checked")["KeyCount"] == 0
    put(b"body")
    assert s3.get_object(Bucket="race", Key="checked")["Body"].read() == b"body"
