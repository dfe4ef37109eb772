"""The engines are there as pinned, or the tests that need one say what to type."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.matrix import engines
from tests.matrix.engines import FIXTURES, OURS, V1, V2
from tests.running import REPOSITORY

PINS = FIXTURES / "engines"


def test_an_engine_that_is_not_installed_fails_and_says_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "REPOSITORY", tmp_path)
    with pytest.raises(pytest.fail.Exception, match=r"dbt 2\.0 is not installed in .*; run make engines"):
        engines.dbt_v2()


def test_each_engine_but_our_own_has_pins() -> None:
    assert {path.stem for path in PINS.glob("*.txt")} == {f"dbt-{version}" for version in (*V1, V2) if version != OURS}


@pytest.mark.parametrize("version", [version for version in V1 if version != OURS])
def test_an_engine_has_dbt_and_adapter_of_its_version_and_the_dbt_loom_that_we_have(version: str) -> None:
    pinned = dict(re.findall(r"^([\w-]+)==([\w.]+)", (PINS / f"dbt-{version}.txt").read_text(), re.MULTILINE))
    assert pinned["dbt-core"].startswith(f"{version}.")
    assert pinned["dbt-snowflake"].startswith(f"{version}.")
    assert f'"dbt-loom=={pinned["dbt-loom"]}"' in (REPOSITORY / "pyproject.toml").read_text()


def test_make_installs_the_engines_before_it_tests() -> None:
    planned = subprocess.run(
        ["make", "--dry-run", "--always-make", "test"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout
    positions = [planned.index(f".engines/{version}") for version in ("1.10", "1.11", V2)]
    assert max(positions) < planned.index("coverage run -m pytest")
