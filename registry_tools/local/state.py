"""What is known about the servers of a home, as values and as the JSON file that finds them again."""

import json
import os
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

from registry_tools.disk import write_whole
from registry_tools.errors import EmbeddedMeshError

HOST = "127.0.0.1"
BUCKET = "dbt-mesh"
LANDING = "landing/"  # the prefix below which raw files arrive
_NAMES = ("warehouse", "bucket")


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """One child process. `started` tells it from a later process of the same number; port 0 means not yet known."""

    name: str
    pid: int
    port: int
    started: str

    def listening_on(self, port: int) -> Self:
        """The same process, now that its port is known."""
        return replace(self, port=port)


@dataclass(frozen=True, kw_only=True, slots=True)
class EmbeddedMesh:
    """A local Snowflake and a local S3 that both answer."""

    warehouse: Server
    bucket: Server
    home: Path
    data: Path

    def environment(self) -> dict[str, str]:
        """What boto3 and dbt must find in their environment to work on these servers and on nothing else."""
        endpoint = f"http://{HOST}:{self.bucket.port}"
        direct = [HOST, "localhost", *filter(None, [os.environ.get("NO_PROXY", os.environ.get("no_proxy"))])]
        return {
            "DBT_MESH_LOCAL_WAREHOUSE_PORT": str(self.warehouse.port),
            "DBT_MESH_BUCKET": BUCKET,
            "DBT_MESH_LANDING": f"s3://{BUCKET}/{LANDING}",
            # the bucket is in memory: what was seen of another one says nothing about it
            "DBT_MESH_CACHE": str(cache_folder(self.home) / str(self.bucket.port)),
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ENDPOINT_URL_S3": endpoint,  # a caller's own would win over the one above
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            # Both clients would take a proxy even to the loopback, and either spelling may be the one they look at.
            "NO_PROXY": ",".join(direct),
            "no_proxy": ",".join(direct),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Status:
    """What a home holds: servers that live, and servers that are written down but live no more."""

    home: Path
    data: Path
    alive: tuple[Server, ...]
    stale: tuple[Server, ...]

    @property
    def mesh(self) -> EmbeddedMesh | None:
        """The pair, when both live and both have their ports."""
        ready = {each.name: each for each in self.alive if each.port}
        if set(ready) != set(_NAMES):
            return None
        return EmbeddedMesh(warehouse=ready["warehouse"], bucket=ready["bucket"], home=self.home, data=self.data)


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """What the state file says, true or no longer true."""

    data: Path
    servers: tuple[Server, ...]


def state_file(home: Path) -> Path:
    """Where the servers of a home are written down."""
    return home / "servers.json"


def ready_file(home: Path, name: str) -> Path:
    """Where a server tells its port while it starts."""
    return home / f"{name}.ready"


def cache_folder(home: Path) -> Path:
    """Where the commands keep what they have read of this home's bucket."""
    return home / "cache"


def log_file(home: Path, name: str) -> Path:
    """What a server had to say. Kept when it ends, for whoever asks why; written anew by the next one."""
    return home / f"{name}.log"


def read(home: Path) -> Recorded:
    """The servers that were last written down; none when there is no file."""
    path = state_file(home)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        servers = tuple(Server(**entry) for entry in document["servers"])
        return Recorded(data=Path(document["data"]), servers=servers)
    except FileNotFoundError:
        return Recorded(data=home / "warehouse", servers=())
    except (ValueError, KeyError, TypeError) as error:
        raise EmbeddedMeshError(
            f"is not what this version writes ({error})",
            where=str(path),
            then=f"end the processes that it names, if any, and remove it: rm {path}",
        ) from error


def write(home: Path, data: Path, servers: tuple[Server, ...]) -> None:
    """Writes the servers down."""
    document = {"data": str(data), "servers": [asdict(each) for each in servers]}
    write_whole(state_file(home), json.dumps(document, indent=1).encode())


def remove(home: Path) -> None:
    """Forgets the servers and what was read of them, and sweeps up what a crash may have left."""
    shutil.rmtree(cache_folder(home), ignore_errors=True)
    state_file(home).unlink(missing_ok=True)
    for name in _NAMES:
        ready_file(home, name).unlink(missing_ok=True)
    for draft in home.glob("*.new"):
        draft.unlink(missing_ok=True)
