"""The upstreams, built and published once, and every engine let loose on every way of reading them, once."""

import json
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

import pytest

from registry_tools.local import servers
from registry_tools.mesh.upstream import WAYS
from tests.local.conftest import connect_to
from tests.matrix.engines import FIXTURES, OURS, V1, V2, dbt_v1, dbt_v2
from tests.matrix.observation import Observed, observe
from tests.matrix.reader import UPSTREAMS, Reader, mesh

Cell = tuple[str, str]  # a version of dbt, and a way
WITHOUT_PLUGIN: Final = "loom without dbt-loom"

_DATABASES: Final = ("SHOP_PROD", "SHOP_FINANCE", '"Legacy"', "READER_PROD")
# The embedded Snowflake has no functions of its own making, so what calls one is put there by hand.
_NO_FUNCTIONS: Final = ("--exclude", "resource_type:function", "net_orders")
_NET_ORDERS: Final = """
create view SHOP_PROD.STAGING_MARTS.NET_ORDERS as
select order_id, amount / 1.19 as net_amount from SHOP_PROD.STAGING_MARTS.ORDERS
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Upstreams:
    """The registry with all of them, their own folders, and the environment in which their tables are found."""

    registry: Path
    root: Path
    environment: Mapping[str, str]

    def manifest(self, name: str) -> dict[str, dict[str, dict[str, object]]]:
        """What dbt wrote of an upstream."""
        read: dict[str, dict[str, dict[str, object]]] = json.loads(
            (self.root / name / "target/manifest.json").read_text()
        )
        return read


@pytest.fixture(scope="session")
def upstreams(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upstreams]:
    root = tmp_path_factory.mktemp("upstreams")
    running = servers.start(root / "mesh")
    try:
        found = Upstreams(registry=root / "registry", root=root, environment=running.environment())
        connection = connect_to(running.warehouse.port)
        for database in _DATABASES:
            connection.cursor().execute(f"create database if not exists {database}")
        with dbt_v1(OURS, plugins=False, log=root / "dbt.log", more=found.environment) as dbt:
            for name in UPSTREAMS:
                shutil.copytree(FIXTURES / name, root / name)
                built = dbt.run(root / name, "build", *_NO_FUNCTIONS)
                assert built.succeeded, built.text
                mesh("publish", "--registry", str(found.registry), "--env", "prod", folder=root / name)
        connection.cursor().execute(_NET_ORDERS)
        connection.close()
        yield found
    finally:
        servers.stop(root / "mesh")


@pytest.fixture(scope="session")
def matrix(upstreams: Upstreams, tmp_path_factory: pytest.TempPathFactory) -> Mapping[Cell, Observed]:
    root = tmp_path_factory.mktemp("matrix")
    plain = [*(way for way in WAYS if way != "loom"), WITHOUT_PLUGIN]
    with ThreadPoolExecutor(max_workers=2) as pool:
        jobs = [pool.submit(_v2, upstreams, root)]
        for version in V1:
            jobs.append(pool.submit(_v1, upstreams, root, version, plain, plugins=False))
            jobs.append(pool.submit(_v1, upstreams, root, version, ["loom"], plugins=True))
        return dict(chain.from_iterable(job.result().items() for job in jobs))


def _v1(upstreams: Upstreams, root: Path, version: str, ways: list[str], *, plugins: bool) -> dict[Cell, Observed]:
    """The ways that need no plugin are tried where there is none."""
    with dbt_v1(version, plugins=plugins, log=root / f"{version}-{plugins}.log", more=upstreams.environment) as dbt:
        return {
            (version, way): observe(_reader(upstreams, root, version, way), dbt, connected=True, builds=version == OURS)
            for way in ways
        }


def _v2(upstreams: Upstreams, root: Path) -> dict[Cell, Observed]:
    return {
        (V2, way): observe(_reader(upstreams, root, V2, way), dbt_v2(), connected=False, builds=False) for way in WAYS
    }


def _reader(upstreams: Upstreams, root: Path, version: str, way: str) -> Reader:
    place = root / version / way
    place.mkdir(parents=True)
    return Reader(root=place, way="loom" if way == WITHOUT_PLUGIN else way, registry=upstreams.registry)
