"""A version of dbt in, that dbt ready to run commands out, from the environments that `make engines` installs."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import pytest

from tests.running import REPOSITORY

FIXTURES: Final = REPOSITORY / "tests" / "matrix"
OURS: Final = "1.12"  # the one that .venv has already
V1: Final = ("1.10", "1.11", OURS)
V2: Final = "2.0"
_PROGRAM_OF_V2: Final = "dbt-core-experimental-parser"
_SECONDS: Final = 180
# Whatever could lead dbt to another profile, project or account.
_FOREIGN: Final = ("DBT_", "SNOWFLAKE_", "COVERAGE_", "AWS_")


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """One event of dbt's log."""

    name: str
    level: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What became of one command: `text` is everything it said, debug lines and errors included."""

    succeeded: bool
    text: str
    events: tuple[Told, ...] = ()

    @property
    def warnings(self) -> tuple[Told, ...]:
        """The events that a person sees in yellow."""
        return tuple(event for event in self.events if event.level == "warn")


class Engine(Protocol):
    """One version of dbt."""

    def run(self, folder: Path, *words: str) -> Answer:
        """One command in a project's folder."""


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment in which an engine runs: the fixtures' profiles, and nothing of this machine's."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    fixed = {"DBT_PROFILES_DIR": str(FIXTURES), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"}
    return mine | fixed | dict(more or {})


@contextmanager
def dbt_v1(version: str, *, plugins: bool, log: Path, more: Mapping[str, str] | None = None) -> Iterator[Engine]:
    """A process that runs commands of this dbt until the block is left; what dbt prints goes into `log`."""
    python = Path(sys.executable) if version == OURS else _installed(version) / "python"
    words = [str(python), str(FIXTURES / "driver.py"), *([] if plugins else ["--without-plugins"])]
    with log.open("wb") as printed:
        process = subprocess.Popen(
            words,
            env=environment(more),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=printed,
            text=True,
        )
    try:
        yield _Process(process, log)
    finally:
        process.kill()
        process.communicate()


def dbt_v2() -> Engine:
    """The program of dbt v2. It starts in a blink, so every command is a process of its own."""
    return _Program(_installed(V2) / _PROGRAM_OF_V2)


def _installed(version: str) -> Path:
    home = REPOSITORY / ".engines" / version
    if not (home / ".installed").exists():
        pytest.fail(f"dbt {version} is not installed in {home}; run make engines", pytrace=False)
    return home / "bin"


class _Process:
    """A driver (see driver.py) at work; its commands wait for each other."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self._process = process
        self._log = log

    def run(self, folder: Path, *words: str) -> Answer:
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps({"folder": str(folder), "words": words}), file=self._process.stdin, flush=True)
        too_long = threading.Timer(_SECONDS, self._process.kill)
        too_long.start()
        line = self._process.stdout.readline()
        too_long.cancel()
        assert line, f"{' '.join(words)} ended dbt: {self._log.read_text()[-2000:]}"
        answer = json.loads(line)
        events = tuple(Told(**event) for event in answer["events"])
        text = "\n".join([*(event.message for event in events), answer["error"]])
        return Answer(succeeded=answer["succeeded"], text=text, events=events)


class _Program:
    def __init__(self, program: Path) -> None:
        self._program = program

    def run(self, folder: Path, *words: str) -> Answer:
        done = subprocess.run(
            [str(self._program), *words],
            cwd=folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        return Answer(succeeded=done.returncode == 0, text=done.stdout + done.stderr)
