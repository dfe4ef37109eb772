"""The embedded mesh's S3 as a child process, and the variables that lead boto3 to it and nowhere else."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

BUCKET = "mesh"
SECRET = "wJalrXUtnFEMI-PLANTED-bPxRfiCYEXAMPLEKEY"
_PATIENCE = 60.0


@contextmanager
def local_s3(folder: Path, module: str = "registry_tools.local.bucket") -> Iterator[str]:
    """Its endpoint; the server is gone when the block ends."""
    with child_server(folder, module, "--bucket", BUCKET) as endpoint:
        yield endpoint


@contextmanager
def child_server(folder: Path, module: str, *arguments: str) -> Iterator[str]:
    """The endpoint of a module that serves on a port of its own choice and tells it in the file `--ready`."""
    ready, log = folder / "ready", folder / "log"
    command = [sys.executable, "-m", module, *arguments, "--ready", str(ready)]
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as server:
        try:
            deadline = time.monotonic() + _PATIENCE
            while not ready.exists():
                assert server.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.02)
            yield f"http://127.0.0.1:{json.loads(ready.read_text())['port']}"
        finally:
            server.terminate()


def aws_variables(endpoint: str, folder: Path) -> Mapping[str, str]:
    """Credentials that are only good here; no file and no metadata service of this machine is asked for others."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "AKIAPLANTED",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": str(folder / "no-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "no-credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
    }
