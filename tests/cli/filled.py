"""A registry with two publications of mini, and how the commands' tests ask about it."""

import json
import os
import shutil
from pathlib import Path
from typing import Any, Final

from click.testing import Result

from tests import builders
from tests.cli.conftest import Commands
from tests.cli.test_sync import MESH

YEAR: Final = 365 * 24 * 3600
REASON: Final = ("--reason", "it counts twice")


def fill(commands: Commands) -> Commands:
    """mini, published twice: `orders` and `customers`, then `orders` alone."""
    (commands.root / "mesh.yml").write_text(MESH)
    publish(commands, 1, "orders", "customers")
    publish(commands, 2, "orders")
    return commands


def publish(commands: Commands, k: int, *names: str) -> str:
    nodes = [builders.node(name, "mini", description=f"Build {k}.") for name in names]
    document = builders.manifest(*nodes, project="mini", metadata={"generated_at": f"2026-0{k}-01T00:00:00Z"})
    (commands.up / "target/manifest.json").write_text(json.dumps(document))
    published = commands.publish("--format", "json")
    assert published.exit_code == 0, published.output
    return str(json.loads(published.stdout)["publication"])


def reads(commands: Commands, name: str) -> None:
    """reader, published in prod, with one node that reads `name` of mini."""
    mark = {"project": "mini", "model": name}
    source = builders.source(name, f"UP.MARTS.{name.upper()}", "reader", mark)
    model = builders.node("report", "reader", depends_on={"nodes": [source["unique_id"]]})
    (commands.down / "target").mkdir(exist_ok=True)
    document = builders.manifest(source, model, project="reader")
    (commands.down / "target/manifest.json").write_text(json.dumps(document))
    assert commands.publish(folder=commands.down).exit_code == 0


def asked(commands: Commands, *words: str, code: int = 0) -> Result:
    result = commands.run(*words)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def document(commands: Commands, *words: str, code: int = 0) -> dict[str, Any]:
    result = asked(commands, *words, "--format", "json", code=code)
    assert result.stderr == ""
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def age(commands: Commands, seconds: float) -> None:
    """Every file of the registry is older by this."""
    for path in Path(commands.registry).rglob("*"):
        if path.is_file():
            then = path.stat().st_mtime - seconds
            os.utime(path, (then, then))


def ids(commands: Commands) -> list[str]:
    return [record["publication"] for record in document(commands, "history", "mini@prod")["records"]][::-1]


def files(commands: Commands, pattern: str) -> list[Path]:
    return sorted(path for path in Path(commands.registry).glob(pattern) if not path.name.startswith("."))


def forget(commands: Commands) -> None:
    """This machine has read nothing yet: publishing again reads what stands, for what that changes."""
    shutil.rmtree(commands.root.parent / "cache", ignore_errors=True)
