"""A folder of tests/cases/impacts in, the verdict out: the whole way of a check but for the registry."""

from datetime import date
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from registry_tools.checks.classes import classified
from registry_tools.checks.comparison import compare
from registry_tools.checks.decision import Question, decide
from registry_tools.checks.impact import impacts
from registry_tools.checks.modes import Modes
from registry_tools.checks.readership import Consumption, Failure, Readership
from registry_tools.intake.interface_file import read_interface_file
from registry_tools.mesh.publication import Approval
from registry_tools.mesh.usage import Usage
from registry_tools.mesh.verdict import Verdict

FOLDER: Final = Path(__file__).parent / "cases/impacts"
CASES: Final = sorted(path.name for path in FOLDER.iterdir())
TODAY: Final = date(2026, 11, 21)


def verdict_of(case: str) -> Verdict:
    """What a check of `new.json` against `old.json` comes to, with the modes and approvals of `mode.yml`."""
    folder = FOLDER / case
    old, new = (read_interface_file(folder / f"{side}.json") for side in ("old", "new"))
    settings = yaml_of(folder / "mode.yml")
    readership = Readership(old, new, consumptions(folder), settings.get("publication", ""))
    return decide(
        Question(
            environment="prod",
            names=("dbt_up@prod#41", "target/manifest.json"),
            old=old,
            new=new,
            found=[(each, impacts(each, readership)) for each in classified(compare(old, new), old, new)],
            readers=readership.readers(),
            today=TODAY,
            modes=msgspec.convert({"default": settings.get("mode", "consumers")} | settings.get("modes", {}), Modes),
            approvals=msgspec.convert(settings.get("approvals", []), tuple[Approval, ...]),
            unknown=settings.get("unknown", "refuse"),
        )
    )


def consumptions(folder: Path) -> tuple[Consumption, ...]:
    """Every consumer as it stands in prod; `compiled.yml` is what came of compiling its whole SQL."""
    return tuple(map(_consumption, sorted(folder.glob("consumers/*/usage.json"))))


def _consumption(path: Path) -> Consumption:
    compiled = yaml_of(path.with_name("compiled.yml"))
    return Consumption(
        consumer=path.parent.name,
        environment="prod",
        usage=msgspec.json.decode(path.read_bytes(), type=Usage),
        failures=msgspec.convert(compiled.get("failures", []), tuple[Failure, ...]),
        verified=compiled.get("verified", False),
        why_not=compiled.get("why_not", ""),
    )


def yaml_of(path: Path) -> dict[str, Any]:
    """The document in the file; empty where there is none."""
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found
